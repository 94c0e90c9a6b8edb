//! Rows of JSON files, one object a line.

use std::{marker::PhantomData, path::PathBuf, sync::Arc};

use bytes::Bytes;
use tormenta_dsl::{Context, Error, Result, Spout, Tuple, text::Line};

use super::bad::bad_row;
use crate::lines::{Progress, chunks::Chunks, inputs::Inputs, reading::Reading};

/// Emits the lines of JSON files as tuples: one value a line (NDJSON).
///
/// What can be named, how packed files and pipes are read and how files are dealt over tasks is as
/// with [`Lines`](crate::Lines). serde's attributes count; fields that are no fields of `T` are
/// skipped. Empty lines and a mark of the byte order (BOM) are skipped.
///
/// **A bad row** - no JSON, a missing field, a value of another type, a last line that was cut off
/// - does not end the run: it becomes a dead letter, whose [`input`](tormenta_dsl::RawInput) has
///   its file and line (`edits.jsonl:17`) and its text. A file that is torn or damaged, or that is
///   shorter than it was when it was opened, is an error after all its whole lines, and so is a
///   line of more than `line_bytes_max` bytes.
///
/// **Guarantee**: it replays nothing by itself; `.replaying(..)` does, for as long as the process
/// lives. A new process reads from the beginning.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Retry, Topology, Tuple, doc::NoEngine};
/// use tormenta_spouts::JsonLines;
/// # extern crate tormenta_dsl as tormenta;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Edit { page: String, delta: i64, #[serde(default)] comment: String }
///
/// let mut t = Topology::<NoEngine>::new("edits");
/// let rows = JsonLines::<Edit>::at("edits.jsonl.gz");
/// let edits = t.spout("edits", rows).replaying(Retry::default());
/// ```
pub struct JsonLines<T> {
    inputs: Inputs,
    line_bytes_max: usize,
    /// Present once the task runs.
    reading: Option<Reading>,
    tuple: PhantomData<fn() -> T>,
}

impl<T: Tuple> JsonLines<T> {
    /// The rows of one file, directory or pattern, or of standard input (`-`).
    ///
    /// ```
    /// let rows = tormenta_spouts::JsonLines::<u64>::at("numbers.jsonl");
    /// ```
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::of([path])
    }

    /// The rows of several, in this order.
    ///
    /// ```
    /// let rows = tormenta_spouts::JsonLines::<u64>::of(["a.jsonl", "b.jsonl.gz"]);
    /// ```
    #[must_use]
    pub fn of(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            inputs: Inputs::of(paths),
            line_bytes_max: crate::Lines::LINE_BYTES_MAX,
            reading: None,
            tuple: PhantomData,
        }
    }

    /// Bytes that a line may have: see [`Lines::line_bytes_max`](crate::Lines::line_bytes_max).
    ///
    /// ```
    /// let rows = tormenta_spouts::JsonLines::<u64>::at("numbers.jsonl").line_bytes_max(1_000);
    /// ```
    #[must_use]
    pub fn line_bytes_max(mut self, bytes: usize) -> Self {
        self.line_bytes_max = bytes;
        self
    }

    /// How far all tasks are: see [`Lines::progress`](crate::Lines::progress).
    ///
    /// ```
    /// let rows = tormenta_spouts::JsonLines::<u64>::at("numbers.jsonl");
    /// assert_eq!(rows.progress().bytes_read(), 0);
    /// ```
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.inputs.progress.clone()
    }

    /// Looks for everything that is named and opens it, as the tasks will do.
    ///
    /// ```
    /// let error = tormenta_spouts::JsonLines::<u64>::at("lost.jsonl").check().unwrap_err();
    /// assert!(error.to_string().starts_with("`lost.jsonl` does not exist"));
    /// ```
    ///
    /// # Errors
    /// When something cannot be read: names all that is missing, and what to do about it.
    pub fn check(&self) -> Result {
        self.inputs.check()
    }
}

/// What a line holds.
enum Parsed<T> {
    Tuple(T),
    Empty,
    Bad(String),
}

fn parse<T: Tuple>(line: &Line) -> Parsed<T> {
    let text = without_mark(&line.text, line.number);
    match serde_json::from_slice(text) {
        Ok(tuple) => Parsed::Tuple(tuple),
        Err(_) if text.iter().all(u8::is_ascii_whitespace) => Parsed::Empty,
        Err(error) => Parsed::Bad(in_words(&error)),
    }
}

fn without_mark(text: &Bytes, number: u64) -> &[u8] {
    match text.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if number == 1 => rest,
        _ => text,
    }
}

/// serde counts lines too, but knows only this one.
#[cold]
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at column {}", error.column()),
        None => text,
    }
}

/// A clone starts from the beginning. Progress is shared with the original.
impl<T> Clone for JsonLines<T> {
    fn clone(&self) -> Self {
        Self {
            inputs: self.inputs.clone(),
            line_bytes_max: self.line_bytes_max,
            reading: None,
            tuple: PhantomData,
        }
    }
}

impl<T> std::fmt::Debug for JsonLines<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonLines")
            .field("named", &self.inputs.named)
            .field("line_bytes_max", &self.line_bytes_max)
            .finish_non_exhaustive()
    }
}

impl<T: Tuple> Spout for JsonLines<T> {
    type Output = T;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let chunks = Chunks::new(self.inputs.mine(cx)?, self.inputs.progress.clone());
        self.reading = Some(Reading::new(chunks, self.line_bytes_max));
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(T, ())>> {
        let Some(reading) = &mut self.reading else {
            return Err(Error::msg("the spout was not prepared"));
        };
        loop {
            while let Some(line) = reading.line()? {
                match parse(&line) {
                    Parsed::Tuple(tuple) => return Ok(Some((tuple, ()))),
                    Parsed::Empty => {}
                    Parsed::Bad(why) => {
                        return Err(bad_row(reading.source(), line.number, (&line.text, 0), why));
                    }
                }
            }
            if !reading.more().await? {
                return Ok(None);
            }
        }
    }
}
