//! Rows of CSV files.

use std::{marker::PhantomData, path::PathBuf, sync::Arc};

use tormenta_dsl::{Context, Error, Result, Spout, Tuple};

use super::{
    bad::bad_row,
    parser::{Found, Parser},
    table::Table,
};
use crate::lines::{
    Progress,
    chunks::{Chunks, More, Stop},
    inputs::Inputs,
    open,
    sources::Source,
};

/// Emits the rows of CSV files as tuples. Needs the feature `csv`.
///
/// What can be named, how packed files and pipes are read and how files are dealt over tasks is as
/// with [`Lines`](crate::Lines). The columns are found by the names in the first row, in any order;
/// columns that are not fields of `T` are skipped. serde's attributes count: `rename`, `alias`,
/// `default`, and an `Option` may have no column. An empty field is a `None`.
///
/// **Wrong columns** are an error before the first row, which names the file and all columns that
/// are missing. **A bad row** does not end the run: it becomes a dead letter, whose
/// [`input`](tormenta_dsl::RawInput) has its file and line (`swipes.csv:17`) and its text. So does
/// a last row that was cut off, as far as that can be told: a missing field or an open quote can, a
/// last number without its last digits cannot. A file that is torn or damaged, or that is shorter
/// than it was when it was opened, is an error after all its whole rows.
///
/// Quotes may hold delimiters and line ends. A mark of the byte order (BOM) is skipped. A file
/// without a byte has no rows.
///
/// **Guarantee**: it replays nothing by itself; `.replaying(..)` does, for as long as the process
/// lives. A new process reads from the beginning.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Retry, Topology, Tuple, doc::NoEngine};
/// use tormenta_spouts::CsvRows;
/// # extern crate tormenta_dsl as tormenta;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Swipe { card: u64, #[serde(rename = "amt")] amount: f64 }
///
/// let mut t = Topology::<NoEngine>::new("fraud");
/// let rows = CsvRows::<Swipe>::at("swipes-*.csv.gz");
/// let swipes = t.spout("swipes", rows).replaying(Retry::default());
/// ```
pub struct CsvRows<T> {
    inputs: Inputs,
    format: Format,
    /// Present once the task runs.
    reading: Option<Reading>,
    tuple: PhantomData<fn() -> T>,
}

/// What the files look like.
#[derive(Clone, Debug)]
struct Format {
    delimiter: u8,
    columns: Columns,
    row_bytes_max: usize,
}

#[derive(Clone, Debug)]
enum Columns {
    /// The first row names them.
    Header,
    /// They go by their place, and there is no header.
    Places,
    /// They have these names, and there is no header.
    Names(Arc<[String]>),
}

/// One task at work.
struct Reading {
    chunks: Chunks,
    parser: Parser,
    /// How rows become tuples; `None` before the first row of a file.
    table: Option<Table>,
    rows: u64,
}

impl<T: Tuple> CsvRows<T> {
    /// Bytes that the fields of a row may have unless [`row_bytes_max`](CsvRows::row_bytes_max)
    /// says otherwise: 16 MiB.
    pub const ROW_BYTES_MAX: usize = 16 << 20;

    /// The rows of one file, directory or pattern, or of standard input (`-`).
    ///
    /// ```
    /// let rows = tormenta_spouts::CsvRows::<u64>::at("numbers.csv");
    /// ```
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::of([path])
    }

    /// The rows of several, in this order.
    ///
    /// ```
    /// let rows = tormenta_spouts::CsvRows::<u64>::of(["a.csv", "b.csv.gz"]);
    /// ```
    #[must_use]
    pub fn of(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let format = Format {
            delimiter: b',',
            columns: Columns::Header,
            row_bytes_max: Self::ROW_BYTES_MAX,
        };
        Self { inputs: Inputs::of(paths), format, reading: None, tuple: PhantomData }
    }

    /// What stands between fields, a comma unless said otherwise.
    ///
    /// ```
    /// let rows = tormenta_spouts::CsvRows::<u64>::at("numbers.tsv").delimiter(b'\t');
    /// ```
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.format.delimiter = delimiter;
        self
    }

    /// The files have no header: the first column is the first field of the tuple, and so on.
    ///
    /// ```
    /// let rows = tormenta_spouts::CsvRows::<u64>::at("numbers.csv").no_header();
    /// ```
    #[must_use]
    pub fn no_header(mut self) -> Self {
        self.format.columns = Columns::Places;
        self
    }

    /// The files have no header, and these are the names of the columns, from the left.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tormenta_dsl::Tuple;
    /// use tormenta_spouts::CsvRows;
    /// # extern crate tormenta_dsl as tormenta;
    ///
    /// #[derive(Tuple, Clone, Serialize, Deserialize)]
    /// struct Swipe { cents: u64 }
    ///
    /// let swipes = CsvRows::<Swipe>::at("swipes.csv").columns(["card", "cents"]);
    /// ```
    #[must_use]
    pub fn columns(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.format.columns = Columns::Names(names.into_iter().map(Into::into).collect());
        self
    }

    /// Bytes that the fields of a row may have. A row with more is a bad row; this bounds the
    /// memory of a task, also where a quote is never closed.
    ///
    /// ```
    /// let rows = tormenta_spouts::CsvRows::<u64>::at("numbers.csv").row_bytes_max(1_000);
    /// ```
    #[must_use]
    pub fn row_bytes_max(mut self, bytes: usize) -> Self {
        self.format.row_bytes_max = bytes;
        self
    }

    /// How far all tasks are: see [`Lines::progress`](crate::Lines::progress).
    ///
    /// ```
    /// let rows = tormenta_spouts::CsvRows::<u64>::at("numbers.csv");
    /// assert_eq!(rows.progress().bytes_read(), 0);
    /// ```
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.inputs.progress.clone()
    }

    /// Looks for everything that is named and whether it has the right columns, as the tasks will
    /// do. Pipes are left alone: whoever opens one takes what is in it.
    ///
    /// ```
    /// let error = tormenta_spouts::CsvRows::<u64>::at("lost.csv").check().unwrap_err();
    /// assert!(error.to_string().starts_with("`lost.csv` does not exist"));
    /// ```
    ///
    /// # Errors
    /// Names the first file that cannot be read or has other columns, and what to do about it.
    pub fn check(&self) -> Result {
        self.inputs.check()?;
        self.inputs.sources()?.iter().try_for_each(|source| self.check_columns(source))
    }

    /// Reads up to the first row of a file.
    fn check_columns(&self, source: &Source) -> Result {
        if !matches!(source, Source::File(..)) {
            return Ok(());
        }
        let mut chunks = Chunks::new([(0, source.clone())], Arc::default());
        let mut parser = self.format.parser();
        loop {
            match parser.row() {
                Found::Row(_) => {
                    let table = self.format.table::<T>(&parser);
                    return table.map(drop).map_err(|why| Error::msg(format!("{source} {why}")));
                }
                Found::Bad(..) => return Ok(()), // told when it is read
                Found::More => {}
            }
            match now(chunks.more()) {
                Some(Ok(More::Chunk(chunk))) => parser.push(chunk),
                Some(Ok(More::Opened)) => {}
                Some(Ok(More::End)) => parser.end(),
                Some(Err(Stop::Unopened(error))) => return Err(error),
                // What is broken is told after the rows before it.
                _ => return Ok(()),
            }
        }
    }
}

/// What is ready at once, as everything about a file is.
fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut waking = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut waking) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

impl Format {
    fn parser(&self) -> Parser {
        Parser::new(self.delimiter, self.row_bytes_max)
    }

    /// What the first row of a file says about its columns.
    fn table<T: Tuple>(&self, first: &Parser) -> Result<Table, String> {
        match &self.columns {
            Columns::Places => Table::placed::<T>(first.fields()),
            Columns::Names(names) => Table::named::<T>(names),
            Columns::Header => {
                let name = |index| String::from_utf8_lossy(first.field(index)).trim().to_owned();
                Table::named::<T>(&(0..first.fields()).map(name).collect::<Vec<_>>())
            }
        }
    }

    fn has_header(&self) -> bool {
        matches!(self.columns, Columns::Header)
    }
}

impl Reading {
    /// The next tuple of what was read; `None` when more must be read.
    #[inline]
    fn tuple<T: Tuple>(&mut self, format: &Format) -> Result<Option<T>> {
        loop {
            match self.parser.row() {
                Found::More => return Ok(None),
                Found::Bad(line, why) => return Err(self.bad_row(line, why)),
                Found::Row(line) => {
                    let table = match &mut self.table {
                        Some(table) => table,
                        None => {
                            self.begin::<T>(format)?;
                            if format.has_header() {
                                continue;
                            }
                            let Some(table) = &mut self.table else { continue };
                            table
                        }
                    };
                    let tuple = table.tuple(&self.parser);
                    let tuple = tuple.map_err(|why| self.bad_row(line, why))?;
                    self.rows += 1;
                    return Ok(Some(tuple));
                }
            }
        }
    }

    fn bad_row(&self, line: u64, why: String) -> Error {
        bad_row(self.chunks.source(), line, self.parser.raw(), why)
    }

    /// The first row of a file. Files were looked at before; a pipe is seen here first.
    fn begin<T: Tuple>(&mut self, format: &Format) -> Result {
        match format.table::<T>(&self.parser) {
            Ok(table) => {
                self.table = Some(table);
                Ok(())
            }
            Err(why) => {
                let error = Error::msg(format!("{} {why}", self.chunks.source()));
                Err(self.stop(error))
            }
        }
    }

    /// Reads more; false when there is no more. Cancel safe.
    async fn more(&mut self) -> Result<bool> {
        match self.chunks.more().await {
            Ok(More::Chunk(chunk)) => self.parser.push(chunk),
            Ok(More::End) => self.parser.end(),
            Ok(More::Opened) => {
                self.parser.clear();
                (self.table, self.rows) = (None, 0);
            }
            Ok(More::Done) => return Ok(false),
            Err(Stop::Unopened(error)) => return Err(self.stop(error)),
            Err(Stop::Broken(error)) => {
                let error = open::broken(self.chunks.source(), self.rows, 0, error);
                return Err(self.stop(error));
            }
        }
        Ok(true)
    }

    fn stop(&mut self, error: Error) -> Error {
        self.chunks.stop();
        self.parser.clear();
        error
    }
}

/// A clone starts from the beginning. Progress is shared with the original.
impl<T> Clone for CsvRows<T> {
    fn clone(&self) -> Self {
        Self {
            inputs: self.inputs.clone(),
            format: self.format.clone(),
            reading: None,
            tuple: PhantomData,
        }
    }
}

impl<T> std::fmt::Debug for CsvRows<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvRows")
            .field("named", &self.inputs.named)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl<T: Tuple> Spout for CsvRows<T> {
    type Output = T;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let mine = self.inputs.mine(cx)?;
        mine.iter().try_for_each(|(_, source)| self.check_columns(source))?;
        self.reading = Some(Reading {
            chunks: Chunks::new(mine, self.inputs.progress.clone()),
            parser: self.format.parser(),
            table: None,
            rows: 0,
        });
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(T, ())>> {
        let Some(reading) = &mut self.reading else {
            return Err(Error::msg("the spout was not prepared"));
        };
        loop {
            if let Some(tuple) = reading.tuple(&self.format)? {
                return Ok(Some((tuple, ())));
            }
            if !reading.more().await? {
                return Ok(None);
            }
        }
    }
}
