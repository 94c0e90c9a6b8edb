//! How well the rules do on public data, and the floors that they must not fall below.
//!
//! `TORMENTA_DATA=<folder> cargo run --release -p tormenta-fraud --example known_data` reads
//! `transactions/handbook_2018-06.csv.gz`, `sparkov_2019-01.csv` and `sparkov_2020_frauds.csv` of
//! that folder. It prints the figures, and fails if one is below its floor.

#![expect(clippy::print_stdout, reason = "it tells people what it found")]

use std::{collections::VecDeque, error::Error, path::Path, process::ExitCode};

use tormenta_fraud::{
    Chargeback, Decision, Format, Kind, Quality, Rows, Rules, Tally, Truth, Turn, Tx,
};

type Fallible<T = ()> = std::result::Result<T, Box<dyn Error>>;

const DAY_S: i64 = 86_400;

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("TORMENTA_DATA") else {
        println!("TORMENTA_DATA is not set: name the folder of the data");
        return ExitCode::from(2);
    };
    match all(&Path::new(&folder).join("transactions")) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(below) => {
            println!("{below} figures are below their floor");
            ExitCode::FAILURE
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn all(data: &Path) -> Fallible<usize> {
    let handbook = rows(&data.join("handbook_2018-06.csv.gz"), Format::Handbook)?;
    let mut below = 0;
    let alone = decide(&handbook, None);
    below += said("handbook, without chargebacks", &handbook, &alone, 0, 0.66);
    for (delay_days, floor_whole, floor_later) in [(7, 0.82, 0.89), (2, 0.92, 0.96)] {
        let told = decide(&handbook, Some(delay_days * DAY_S));
        let name = format!("handbook, chargebacks after {delay_days} days");
        below += said(&name, &handbook, &told, 0, floor_whole);
        below += said(&format!("{name}, from 15 June"), &handbook, &told, 14, floor_later);
    }
    for name in ["sparkov_2019-01", "sparkov_2020_frauds"] {
        let sparkov = rows(&data.join(format!("{name}.csv")), Format::Sparkov)?;
        below += said(name, &sparkov, &decide(&sparkov, None), 0, 0.90);
    }
    Ok(below)
}

fn rows(path: &Path, format: Format) -> Fallible<Vec<(Tx, Truth)>> {
    let rows = Rows::open(path, format)?;
    rows.map(|row| row.map_err(|why| format!("{why:?}").into())).collect()
}

/// What the rules decide, in order. Frauds are reported after a delay, if there is one.
fn decide(rows: &[(Tx, Truth)], delay_s: Option<i64>) -> Vec<Decision> {
    let (mut rules, mut reports) = (Rules::default(), VecDeque::new());
    let decide = |(tx, truth): &(Tx, Truth)| {
        while reports.front().is_some_and(|report: &Chargeback| report.time <= tx.time)
            && let Some(report) = reports.pop_front()
        {
            rules.report(&report);
        }
        if let (Some(delay), Truth::Fraud(_)) = (delay_s, truth) {
            let (id, card, terminal) = (tx.id.clone(), tx.card, tx.terminal);
            let (time, turn) = (tx.time + delay, Turn::default());
            reports.push_back(Chargeback { id, card, terminal, time, turn });
        }
        rules.observe(tx)
    };
    rows.iter().map(decide).collect()
}

/// Prints how good the decisions are from a day on; 1 if the area is below the floor.
fn said(
    name: &str,
    rows: &[(Tx, Truth)],
    decisions: &[Decision],
    from_day: i64,
    floor: f64,
) -> usize {
    let from = rows.first().map_or(0, |(tx, _)| tx.time) + from_day * DAY_S;
    let later = rows.iter().zip(decisions).filter(|((tx, _), _)| tx.time >= from);
    let mut tally = Tally::default();
    later.clone().for_each(|((_, truth), decision)| tally.add(decision, *truth));
    let (area, false_positives) = (tally.auc(), tally.false_positives());
    let (shown, wrong) = (share(area), share(false_positives));
    println!("{name}: area {shown} (floor {floor}), false positives {wrong}");
    for (kind, Quality { frauds, precision, recall }) in tally.per_kind() {
        let mut alone = Tally::default();
        let of_kind =
            |truth: &Truth| matches!(truth, Truth::Genuine) || *truth == Truth::Fraud(kind);
        let those = later.clone().filter(|((_, truth), _)| of_kind(truth));
        those.for_each(|((_, truth), decision)| alone.add(decision, *truth));
        let (kind, area) = (Kind::name(kind), share(alone.auc()));
        println!(
            "  {kind:<22}{frauds:>6} frauds, area {area}, precision {precision:.3}, \
             recall {recall:.3}"
        );
    }
    usize::from(area.is_some_and(|area| area < floor))
}

/// A share, where there is something to take it of.
fn share(of: Option<f64>) -> String {
    of.map_or_else(|| "none".to_owned(), |of| format!("{of:.4}"))
}
