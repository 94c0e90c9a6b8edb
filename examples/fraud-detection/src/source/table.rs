//! CSV files with a header: records, and the lines where they stand.
//!
//! Why not `CsvRows` of the library: that is a spout, and what it reads is in the stream at once.
//! Here rows are merged with those of a second file, by time, and some wait until they are due; so
//! they are read one by one, by the source itself. And what cannot be read is counted in the
//! summary, because a transaction without a decision is what this demo is about.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;

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
    reader: csv::Reader<Box<dyn Read + Send>>,
    record: ByteRecord,
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
    /// Opens a file, packed with gzip if its name ends in `.gz`, and finds its columns in its
    /// header.
    pub(super) fn open<C>(
        path: &Path,
        find: impl FnOnce(&ByteRecord) -> Result<C, String>,
    ) -> Result<(Self, C), OpenError> {
        let shown = path.display();
        let unusable = OpenError::Unusable;
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                OpenError::Missing(format!("`{shown}` does not exist; check the name"))
            }
            _ => unusable(format!("`{shown}` cannot be read: {error}")),
        })?;
        let about = file.metadata().ok();
        if about.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            return Err(unusable(format!("`{shown}` is a directory; name a file in it")));
        }
        let bytes_at_first =
            about.filter(std::fs::Metadata::is_file).map_or(0, |about| about.len());
        let bytes = Arc::new(AtomicU64::new(0));
        let buffered = BufReader::with_capacity(64 * 1024, Counted(file, bytes.clone()));
        let is_packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        let reader: Box<dyn Read + Send> = match is_packed {
            true => Box::new(MultiGzDecoder::new(buffered)),
            false => Box::new(buffered),
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let header = reader.byte_headers();
        let header = header.map_err(|error| unusable(format!("`{shown}`: {error}")))?;
        let columns = find(header).map_err(|why| unusable(format!("`{shown}` {why}")))?;
        let (path, record, has_ended) = (path.to_owned(), ByteRecord::new(), false);
        Ok((Self { path, reader, record, bytes, bytes_at_first, has_ended }, columns))
    }

    /// What `read` makes of the next record; `None` at the end.
    pub(super) fn next<T>(
        &mut self,
        read: impl FnOnce(&ByteRecord) -> Result<T, String>,
    ) -> Option<Result<T, RowError>> {
        if self.has_ended {
            return None;
        }
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {
                let read = read(&self.record);
                let line = || self.record.position().map_or(0, csv::Position::line);
                Some(read.map_err(|why| self.refused(line(), why)))
            }
            Ok(false) => {
                self.has_ended = true;
                let (read, had) = (self.bytes.load(Ordering::Relaxed), self.bytes_at_first);
                let path = self.path.display();
                (read < had).then(|| {
                    Err(RowError::Broken(format!(
                        "`{path}` was shortened while it was read, from {had} bytes to {read}"
                    )))
                })
            }
            Err(error) => Some(Err(match error.kind() {
                csv::ErrorKind::UnequalLengths { pos, expected_len, len } => self.refused(
                    pos.as_ref().map_or(0, csv::Position::line),
                    format_args!("{len} columns where the header has {expected_len}"),
                ),
                _ => {
                    self.has_ended = true;
                    let line = self.reader.position().line();
                    let path = self.path.display();
                    RowError::Broken(format!("`{path}` cannot be read beyond line {line}: {error}"))
                }
            })),
        }
    }

    fn refused(&self, line: u64, why: impl fmt::Display) -> RowError {
        RowError::Refused(format!("`{}` line {line}: {why}", self.path.display()))
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
            let known: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
            format!("has no column `{name}`, only `{}`", known.join("`, `"))
        })?;
    }
    Ok(places)
}

/// Where the column with this name is.
pub(super) fn place_of(header: &ByteRecord, name: &str) -> Option<usize> {
    header.iter().position(|column| column == name.as_bytes())
}
