//! `tormenta bench`.

use std::time::Duration;

use crate::{
    bench::{self, NAMES, Plan, Row},
    exit::{self, Code, Failure, Outcome},
    output::Output,
};

/// Measure the engine on this machine
///
/// W1 moves numbers from a spout to a sink, W2 has one bolt between them, W3 counts the words of
/// sentences, W4 counts events by key in windows of event time. Each is measured inside one loop
/// (fused) and over threads (handover), with tracking and without, in turns with a hand-written
/// loop that does the same.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta bench",
    "tormenta bench --only w1 --only w2 --seconds 2 --pairs 9",
    "tormenta bench --json | jq .tuples_per_second",
]))]
pub(crate) struct Bench {
    /// Print one JSON object a line, as each row is known
    #[arg(long)]
    json: bool,
    /// Measure only this workload; may be given several times
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NAMES)]
    only: Vec<String>,
    /// Length of one run
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    /// Runs of each kind, in turns with the reference; the median is shown
    #[arg(long, value_name = "N", default_value_t = 3)]
    pairs: usize,
}

impl Bench {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        if !(0.01..=3600.0).contains(&self.seconds) {
            let message = format!("--seconds {}: a run takes 0.01 to 3600 s", self.seconds);
            return Err(Failure::new(Code::Usage, message));
        }
        if self.pairs == 0 {
            return Err(Failure::new(Code::Usage, "--pairs 0 measures nothing: at least 1"));
        }
        let run = Duration::from_secs_f64(self.seconds);
        let plan = Plan { only: self.only, run, pairs: self.pairs };
        let (machine, seconds, pairs) = (bench::machine_name(), self.seconds, self.pairs);
        output.talk(format!("{machine}; runs of {seconds} s, {pairs} of each"));
        let lines = self.json || !output.is_table();
        let (mut rows, mut said) = (Vec::new(), Ok(()));
        bench::run(&plan, |row| {
            if lines {
                said = std::mem::replace(&mut said, Ok(())).and_then(|()| output.json_line(&row));
            } else {
                output.talk(format!("{} {} done", row.name, row.mode));
            }
            rows.push(row);
        });
        said?;
        if !lines {
            output.data(table(&rows).as_bytes())?;
        }
        match rows.iter().find_map(|row| row.error.as_ref().map(|error| (row.name, error))) {
            Some((name, error)) => Err(Failure::failed(format!("{name}: {error}"))),
            None => Ok(Code::Ok),
        }
    }
}

/// Aligned columns: text to the left, numbers to the right.
fn table(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = std::iter::once(Row::HEADS.map(str::to_owned).to_vec())
        .chain(rows.iter().map(Row::cells))
        .collect();
    let width = |column: usize| cells.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..Row::HEADS.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let columns = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < 3 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text += columns.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
