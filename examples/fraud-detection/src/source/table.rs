//! CSV files with a header: records, and the lines where they stand.
//!
//! Why not `CsvRows` of the library: that is a spout, and what it reads is in the stream at once.
//! Here rows are merged with those of a second file, by time, and some wait until they are due; so
//! they are read one by one, by the source itself. And what cannot be read is counted in the
//! summary, because a transaction without a decision is what this demo is about.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;

use super::{
    fields,
    records::{Bad, Records},
};

/// How a file begins that is packed with gzip.
const GZIP: &[u8] = b"\x1f\x8b";

/// Why a pipe is no input.
const UNREPEATABLE: &str = "is no file but a pipe or a device; the demo reads its input again \
                            after a restart, so give it a file";

/// Names of columns that are shown at most.
const NAMES_SHOWN: usize = 32;

/// Why a file gives no transactions, or no more of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It is not there.
    Missing(String),
    /// It cannot be read, or is not what it should be.
    Unusable(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(text) | Self::Unusable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OpenError {}

/// Why there is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowError {
    /// This row makes no sense; the next one may.
    Refused(String),
    /// The file cannot be read any further.
    Broken(String),
}

/// A file whose header was read.
pub(super) struct Table {
    path: PathBuf,
    records: Records,
    record: ByteRecord,
    /// Columns of the header.
    columns: usize,
    /// Bytes that were read, and those that there were when it was opened.
    bytes: Arc<AtomicU64>,
    bytes_at_first: u64,
    has_ended: bool,
}

/// Counts what is read.
struct Counted(File, Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Table {
    /// Opens a file, unpacks it if it is packed with gzip, and finds its columns in its header.
    pub(super) fn open<C>(
        path: &Path,
        find: impl FnOnce(&ByteRecord) -> Result<C, String>,
    ) -> Result<(Self, C), OpenError> {
        let shown = path.display();
        let unusable = |why: &dyn fmt::Display| OpenError::Unusable(format!("`{shown}` {why}"));
        let unread = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound if path == Path::new("-") => unusable(&UNREPEATABLE),
            io::ErrorKind::NotFound => {
                OpenError::Missing(format!("`{shown}` does not exist; check the name"))
            }
            _ => unusable(&format_args!("cannot be read: {error}")),
        };
        // Before it is opened: that would wait for somebody who writes into the pipe.
        let about = path.metadata().map_err(unread)?;
        if about.is_dir() {
            return Err(unusable(&"is a directory; name a file in it"));
        }
        if !about.is_file() {
            return Err(unusable(&UNREPEATABLE));
        }
        let (file, bytes_at_first) = (File::open(path).map_err(unread)?, about.len());
        let bytes = Arc::new(AtomicU64::new(0));
        let mut buffered = BufReader::with_capacity(64 * 1024, Counted(file, bytes.clone()));
        let is_packed = buffered.fill_buf().map_err(unread)?.starts_with(GZIP);
        let reader: Box<dyn Read + Send> = match is_packed {
            true => Box::new(MultiGzDecoder::new(buffered)),
            false => Box::new(buffered),
        };
        let (mut records, mut record) = (Records::of(reader), ByteRecord::new());
        match records.next(&mut record) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(unusable(&"is empty: it has not even a header")),
            Err(Bad::Line(line, why)) => {
                return Err(unusable(&format_args!("line {line}, the header: {why}")));
            }
            Err(Bad::Broken(error)) => return Err(unread(error)),
        }
        if record.as_slice().contains(&0) {
            let begin = fields::shown(record.as_slice());
            return Err(unusable(&format_args!("is no text: it begins with `{begin}`")));
        }
        let found = find(&record).map_err(|why| unusable(&why))?;
        let (path, columns, has_ended) = (path.to_owned(), record.len(), false);
        Ok((Self { path, records, record, columns, bytes, bytes_at_first, has_ended }, found))
    }

    /// What `read` makes of the next record; `None` at the end.
    pub(super) fn next<T>(
        &mut self,
        read: impl FnOnce(&ByteRecord) -> Result<T, String>,
    ) -> Option<Result<T, RowError>> {
        if self.has_ended {
            return None;
        }
        let path = self.path.display();
        match self.records.next(&mut self.record) {
            Ok(Some(line)) => {
                let (len, expected) = (self.record.len(), self.columns);
                let row = match len == expected {
                    true => read(&self.record),
                    false => Err(format!("{len} columns where the header has {expected}")),
                };
                let last = self.records.lines();
                Some(row.map_err(|why| {
                    RowError::Refused(match last > line {
                        true => {
                            format!("{path}:{line}: {why}; by its quotes it ends in line {last}")
                        }
                        false => format!("{path}:{line}: {why}"),
                    })
                }))
            }
            Ok(None) => {
                self.has_ended = true;
                let (read, had) = (self.bytes.load(Ordering::Relaxed), self.bytes_at_first);
                (read < had).then(|| {
                    Err(RowError::Broken(format!(
                        "`{path}` was shortened while it was read, from {had} bytes to {read}"
                    )))
                })
            }
            Err(Bad::Line(line, why)) => {
                Some(Err(RowError::Refused(format!("{path}:{line}: {why}"))))
            }
            Err(Bad::Broken(error)) => {
                self.has_ended = true;
                let line = self.records.lines();
                let why = format!("`{path}` cannot be read beyond line {line}: {error}");
                Some(Err(RowError::Broken(why)))
            }
        }
    }
}

/// Where columns with these names are.
pub(super) fn places<const N: usize>(
    header: &ByteRecord,
    names: [&str; N],
) -> Result<[usize; N], String> {
    let mut places = [0; N];
    for (place, name) in places.iter_mut().zip(names) {
        *place = place_of(header, name).ok_or_else(|| {
            let known: Vec<_> = header.iter().take(NAMES_SHOWN).map(fields::shown).collect();
            let more = match header.len().saturating_sub(NAMES_SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("has no column `{name}`, only `{}`{more}", known.join("`, `"))
        })?;
    }
    Ok(places)
}

/// Where the column with this name is.
pub(super) fn place_of(header: &ByteRecord, name: &str) -> Option<usize> {
    header.iter().position(|column| column == name.as_bytes())
}
