//! The word count of `tormenta demo`: lines, their words, the counts of these, a table.
//!
//! ```text
//!   lines --shuffle--> split --by word--> count --global, at the end--> table
//! ```
//!
//! Per word nothing is allocated and no reference is counted: see [`token::Token`]. Each counting
//! task has a map of its own and says what is in it once, when the inputs have ended.

mod book;
mod split;
mod table;
mod tally;
mod token;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tormenta::{
    Retry, Topology,
    spouts::{Lines, Progress},
};

use book::Book;
use split::Split;
use tally::Tally;

pub(crate) use table::{Table, Words};

/// Bytes that a line may have: it is held in memory as a whole.
const LINE_BYTES_MAX: usize = 1 << 30;

/// How long one line may take. The longest one takes a minute on a slow machine, and waits for
/// whoever reads its words.
const EXECUTE_TIMEOUT: Duration = Duration::from_secs(3600);

/// Where the lines come from.
pub(crate) enum Text {
    /// The book that this executable brings along.
    Book,
    /// Files, directories, patterns, standard input.
    Named(Box<Lines>),
}

impl Text {
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        match paths {
            [] => Self::Book,
            paths => Self::Named(Lines::of(paths).line_bytes_max(LINE_BYTES_MAX).into()),
        }
    }

    /// How far the reading is, where that is worth a look.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        match self {
            Self::Book => Arc::default(),
            Self::Named(lines) => lines.progress(),
        }
    }
}

/// Declares the topology. Every line is tracked, and replayed should its tree fail.
pub(crate) fn declare(t: &mut Topology, text: Text, tasks: usize, table: Table) {
    let files = text.progress().files().unwrap_or(1);
    let lines = match text {
        Text::Book => t.spout("lines", Book::default()),
        // A file is read by one task, so that more tasks than files would have nothing to do.
        Text::Named(lines) => t.spout("lines", *lines).tasks(tasks.min(files)),
    };
    let lines = lines.replaying(Retry::default());
    let split = t.bolt("split", Split, lines.shuffle()).tasks(tasks);
    let split = split.execute_timeout(EXECUTE_TIMEOUT);
    let count = t.bolt("count", Tally::default(), split.by(|word| word)).tasks(tasks);
    t.bolt("table", table, count.global());
}
