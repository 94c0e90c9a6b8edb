//! `tormenta demo word-count`.

use std::{fmt::Write as _, path::PathBuf};

use tormenta::{
    Options, Topology,
    artifact::{Attended, Ended, attend},
    start,
};

use super::word_count_told::{Told, top};
use crate::{
    exit::{self, Code, Failure, Outcome},
    output::{Output, Progress, WholeFile, grouped},
    word_count::{Table, Text, Words, declare},
};

/// Tasks that are worth having: the keys are divided into as many groups.
const TASKS_MAX: usize = 4096;

/// Count the words of texts: of a book, unless a PATH is given
///
/// Words are the longest runs of bytes other than tab, line feed, form feed, carriage return and
/// space; case and punctuation stay. Every line is tracked until all its words are counted.
/// Without --output the 20 words that are seen most are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta demo word-count",
    "tormenta demo word-count book.txt 'logs/**/*.gz'",
    "tormenta demo word-count --tasks 4 --output counts.tsv /usr/share/doc",
    "zcat book.gz | tormenta demo word-count -o json -",
]))]
pub(crate) struct WordCount {
    /// Files, directories, patterns, or `-` for standard input; gzip and zstd are unpacked
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Tasks that split, and tasks that count
    #[arg(long, value_name = "N", default_value = "1", value_parser = tasks)]
    tasks: usize,
    /// Write the whole table to this file: `word TAB count`, sorted by byte. The file changes in
    /// one step, at the end; after Ctrl-C it holds the words of what was read until then
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn tasks(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("nobody would count; use at least one: `--tasks 1`".to_owned()),
        Ok(tasks) if tasks <= TASKS_MAX => Ok(tasks),
        Ok(_) => Err(format!("that is more than can share the work; use at most {TASKS_MAX}")),
        Err(_) => Err(format!("that is no number of tasks; use 1 to {TASKS_MAX}")),
    }
}

impl WordCount {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        let text = self.text()?;
        self.refuse_to_read_what_is_written()?;
        let file = self.output.as_deref().map(WholeFile::create).transpose()?;
        let table = Table::default();
        let attended = count(text, self.tasks, table.clone(), output)?;
        let words = table.take_sorted();
        let told = Told::new(&attended, &words);
        self.check(&attended, &told)?;
        match file {
            Some(file) => write(file, &words)?,
            None if output.is_table() => output.data(&top(&words))?,
            None => {}
        }
        if output.is_table() {
            self.talk(&told, output);
        } else {
            output.json(&told.json(self.output.as_deref(), &words))?;
        }
        Ok(if told.interrupted { Code::Interrupted } else { Code::Ok })
    }

    /// The table must not take the place of a text that it is made from.
    fn refuse_to_read_what_is_written(&self) -> Outcome<()> {
        let Some(output) = self.output.as_ref().and_then(|path| path.canonicalize().ok()) else {
            return Ok(());
        };
        let is_read = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == output);
        if output.is_file() && self.paths.iter().any(is_read) {
            let shown = output.display();
            let why = format!("`{shown}` is to be read and to be written; name another output");
            return Err(Failure::new(Code::Usage, why));
        }
        Ok(())
    }

    /// What to read, once it is sure that all of it is there.
    fn text(&self) -> Outcome<Text> {
        let text = Text::of(&self.paths);
        if let Text::Named(lines) = &text {
            lines.check().map_err(Failure::of)?;
        }
        Ok(text)
    }

    /// Whether the table is what it says: every word of every line, once.
    fn check(&self, attended: &Attended, told: &Told) -> Outcome<()> {
        let summary = &attended.summary;
        let kept = match &self.output {
            Some(path) => format!("\n`{}` was not written", path.display()),
            None => String::new(),
        };
        let failed = |why: &str| Err(Failure::failed(format!("{why}{kept}")));
        if attended.ended == Ended::Cut || !summary.cut_off.is_empty() {
            let mut message = "cut off before everything that was read was counted".to_owned();
            for who in &summary.cut_off {
                let _ = write!(message, "; {who}");
            }
            return Err(Failure::new(Code::Interrupted, format!("{message}{kept}")));
        }
        if let Some(error) = &summary.error {
            return failed(error.strip_prefix("lines: ").unwrap_or(error));
        }
        if told.failed > 0 || told.pending > 0 || told.words != told.counted {
            let why = summary.errors.last().map(|error| format!(": {}", error.error));
            return failed(&format!(
                "{} lines failed, so that some words may be counted twice or not at all{}",
                grouped(told.failed),
                why.unwrap_or_default()
            ));
        }
        Ok(())
    }

    fn talk(&self, told: &Told, output: &Output) {
        output.talk(told);
        if told.interrupted {
            output.talk("interrupted: what was not read before is not counted");
        }
        if let Some(path) = &self.output {
            let words = grouped(told.distinct_words);
            output.talk(format_args!("wrote {words} words to `{}`", path.display()));
        }
    }
}

/// Runs the topology to its end.
fn count(text: Text, tasks: usize, table: Table, output: &Output) -> Outcome<Attended> {
    let read = text.progress();
    let mut topology = Topology::new("word-count");
    declare(&mut topology, text, tasks, table);
    let running = start(topology, Options::default()).map_err(Failure::failed)?;
    let watch = running.watch();
    let progress = Progress::start(output, move || {
        let words = watch.metrics().component("count").map_or(0, |count| count.executed);
        ((read.bytes_read(), read.bytes_total()), format!("{} words", grouped(words)))
    });
    Ok(attend(running, progress.teller(*output)))
}

fn write(mut file: WholeFile, words: &Words) -> Outcome<()> {
    let mut line = Vec::new();
    for count in words {
        line.clear();
        count.tsv(&mut line);
        line.push(b'\n');
        file.write(&line)?;
    }
    file.publish()
}
