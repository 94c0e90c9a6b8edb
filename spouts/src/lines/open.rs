//! Opens a source and unpacks what is packed.

use std::{
    fs::File,
    io::{self, BufReader, Chain, Cursor, Read},
    path::Path,
    sync::Arc,
};

use flate2::bufread::MultiGzDecoder;
use tormenta_dsl::{Error, Result};

use super::{
    Progress,
    sources::{Source, cannot_read},
};

/// A reader of what is in a source, unpacked.
pub(crate) type Reader = Box<dyn Read + Send>;

/// Packed bytes that are read at a time.
const PACKED_BYTES: usize = 64 * 1024;

/// Bytes that tell how a file is packed.
const MAGIC_BYTES: usize = 4;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    fn of_magic(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => Some(Self::Zstd),
            // A frame to be skipped, which some parallel packers begin with.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }

    fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().to_str()? {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Opens a source.
///
/// # Errors
/// When it cannot be opened, or its name promises a packing that it does not have. Names it.
pub(crate) fn open(source: &Source, progress: &Arc<Progress>) -> Result<Reader> {
    let progress = progress.clone();
    match source {
        Source::Stdin => unpack(Counted::new(io::stdin(), 0, progress), source),
        Source::Pipe(path) => unpack(Counted::new(open_file(path)?, 0, progress), source),
        Source::File(path, _) => {
            let file = open_file(path)?;
            let bytes = file.metadata().map_err(|e| Error::msg(cannot_read(path, &e)))?.len();
            unpack(Counted::new(file, bytes, progress), source)
        }
    }
}

fn open_file(path: &Path) -> Result<File> {
    // Its kind stays: it says whether there is no such file.
    File::open(path).map_err(|e| io::Error::new(e.kind(), cannot_read(path, &e)).into())
}

/// Whether a file can be opened and is packed as its name says. Pipes are left alone, because
/// whoever opens one takes what is in it.
pub(crate) fn check(source: &Source) -> Result {
    match source {
        Source::File(..) => open(source, &Arc::default()).map(drop),
        Source::Pipe(_) | Source::Stdin => Ok(()),
    }
}

fn unpack<R: Read + Send + 'static>(mut reader: R, source: &Source) -> Result<Reader> {
    let mut head = Vec::with_capacity(MAGIC_BYTES);
    let read = reader.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head);
    read.map_err(|e| Error::msg(cannot_read(source.path(), &e)))?;
    let found = Packing::of_magic(&head);
    if let (None, Some(promised)) = (found, Packing::of_name(source.path())) {
        let packing = promised.name();
        return Err(Error::msg(format!(
            "{source} is no {packing} file although its name says so: it is damaged, or should \
             have another name"
        )));
    }
    let whole: Chain<Cursor<Vec<u8>>, R> = Cursor::new(head).chain(reader);
    Ok(match found {
        None => Box::new(whole),
        Some(Packing::Gzip) => {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(PACKED_BYTES, whole)))
        }
        Some(Packing::Zstd) => unpack_zstd(whole, source)?,
    })
}

#[cfg(any(feature = "zstd", test))]
fn unpack_zstd(packed: impl Read + Send + 'static, _source: &Source) -> Result<Reader> {
    let packed = BufReader::with_capacity(PACKED_BYTES, packed);
    Ok(Box::new(zstd::Decoder::with_buffer(packed)?))
}

/// Its library is written in C, and takes longer to build than all the rest of a small project.
#[cfg(not(any(feature = "zstd", test)))]
fn unpack_zstd(_packed: impl Read + Send + 'static, source: &Source) -> Result<Reader> {
    Err(Error::msg(format!(
        "{source} is packed with zstd, which this program was built without: unpack it first, or \
         give `tormenta` the feature `zstd` in Cargo.toml"
    )))
}

/// Says why reading stopped in the middle, after `lines` whole lines of this source. `begun` are
/// the bytes of the next line that were read: half a line is not delivered as if it were one.
pub(crate) fn broken(source: &Source, lines: u64, begun: usize, error: io::Error) -> Error {
    let what = match error.kind() {
        _ if Truncated::is_in(&error) => "was truncated while it was read",
        io::ErrorKind::UnexpectedEof => "is torn: its packed data end in the middle",
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            "cannot be unpacked any further and is probably damaged"
        }
        _ => "cannot be read any further",
    };
    let mut text = format!("{source} {what}; the {lines} lines before that were delivered");
    if begun > 0 {
        text += &format!(", line {} is cut off and was not", lines + 1);
    }
    Error::from(error).context(text)
}

/// Counts what is read, and notices when it is less than there was.
struct Counted<R> {
    reader: R,
    read: u64,
    /// Bytes that there were when it was opened; there may be more by now.
    bytes: u64,
    progress: Arc<Progress>,
}

impl<R> Counted<R> {
    fn new(reader: R, bytes: u64, progress: Arc<Progress>) -> Self {
        Self { reader, read: 0, bytes, progress }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        if read == 0 && !into.is_empty() && self.read < self.bytes {
            return Err(io::Error::other(Truncated { read: self.read, bytes: self.bytes }));
        }
        self.read += read as u64;
        self.progress.add(read);
        Ok(read)
    }
}

/// A file is shorter than it was when it was opened.
#[derive(Debug)]
struct Truncated {
    read: u64,
    bytes: u64,
}

impl Truncated {
    fn is_in(error: &io::Error) -> bool {
        error.get_ref().and_then(|error| error.downcast_ref::<Self>()).is_some()
    }
}

impl std::fmt::Display for Truncated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it ended after {} of {} bytes", self.read, self.bytes)
    }
}

impl std::error::Error for Truncated {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_is_known_by_the_first_bytes() {
        assert_eq!(Packing::of_magic(b"\x1f\x8b\x08\0"), Some(Packing::Gzip));
        assert_eq!(Packing::of_magic(b"\x28\xb5\x2f\xfd"), Some(Packing::Zstd));
        assert_eq!(Packing::of_magic(b"\x51\x2a\x4d\x18"), Some(Packing::Zstd));
        for head in [&b""[..], b"\x1f", b"text", b"\x28\xb5"] {
            assert_eq!(Packing::of_magic(head), None, "{head:?}");
        }
    }

    #[test]
    fn a_file_that_is_truncated_meanwhile_is_not_taken_for_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.txt");
        std::fs::write(&path, vec![b'x'; 100]).expect("written");
        let source = Source::File(path.clone(), 100);
        let progress = Arc::<Progress>::default();
        let mut reader = open(&source, &progress).expect("opened");
        reader.read_exact(&mut [0; 30]).expect("read");
        let cut = |bytes| File::options().write(true).open(&path).and_then(|f| f.set_len(bytes));
        cut(40).expect("truncated");
        let mut rest = Vec::new();
        let error = reader.read_to_end(&mut rest).expect_err("truncated");
        let text = broken(&source, 3, 5, error).to_string();
        let expected = "a.txt` was truncated while it was read; the 3 lines before that were \
            delivered, line 4 is cut off and was not: it ended after 40 of 100 bytes";
        assert!(text.ends_with(expected) && rest.len() == 10, "{text}");
        cut(200).expect("grown");
        let mut reader = open(&source, &progress).expect("opened");
        cut(300).expect("grown");
        assert_eq!(reader.read_to_end(&mut Vec::new()).expect("whole"), 300);
    }

    #[test]
    fn a_name_that_lies_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, bytes) in [("a.gz", &b"text"[..]), ("b.ZST", b"")] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            let text = check(&Source::File(path, 0)).expect_err("refused").to_string();
            assert!(text.contains("although its name says so"), "{text}");
        }
    }
}
