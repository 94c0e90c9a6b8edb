//! A place in a file, and how it is written down.
//!
//! A checkpoint is one JSON object:
//!
//! ```text
//! {"format":1,"path":"app.log","place":{"device":2049,"inode":131,"offset":4096,"line":64,
//!  "head_bytes":1024,"head_hash":1234567890}}
//! ```
//!
//! `offset` is where the first line begins that was not acked, `line` how many lines are before it,
//! and the head tells the file from another that got its inode: the FNV-1a hash (64 bits) of its
//! first bytes. `place` is `null` as long as there is no file.

use std::{path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

/// The format of a checkpoint.
const FORMAT: u32 = 1;

/// Bytes at the beginning of a file by which it is known.
pub(crate) const HEAD_BYTES: usize = 1024;

/// A file, whatever it is called at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// The first bytes of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    #[serde(rename = "head_bytes")]
    pub(crate) bytes: usize,
    #[serde(rename = "head_hash")]
    pub(crate) hash: u64,
}

impl Head {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES)];
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self { bytes: bytes.len(), hash: bytes.iter().fold(0xcbf2_9ce4_8422_2325, step) }
    }

    /// Whether a file that begins with these bytes may be the one with this head.
    pub(crate) fn begins(self, bytes: &[u8]) -> bool {
        self.bytes == 0 || bytes.len() >= self.bytes && Self::of(&bytes[..self.bytes]) == self
    }
}

/// Which file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    #[serde(flatten)]
    pub(crate) id: FileId,
    #[serde(flatten)]
    pub(crate) head: Head,
}

/// The end of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) mark: Arc<Mark>,
    pub(crate) offset: u64,
    /// Lines of the file before it.
    pub(crate) line: u64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    path: String,
    place: Option<WrittenPlace>,
}

#[derive(Serialize, Deserialize)]
struct WrittenPlace {
    #[serde(flatten)]
    mark: Mark,
    offset: u64,
    line: u64,
}

/// The text of a checkpoint.
pub(crate) fn write(path: &Path, place: Option<&Place>) -> String {
    let written =
        |place: &Place| WrittenPlace { mark: *place.mark, offset: place.offset, line: place.line };
    let path = path.display().to_string();
    let written = Written { format: FORMAT, path, place: place.map(written) };
    // Numbers and a text can always be written.
    serde_json::to_string(&written).unwrap_or_default() + "\n"
}

/// What a checkpoint says.
///
/// # Errors
/// When it is no checkpoint of this file, in words that go after its name.
pub(crate) fn read(text: &[u8], path: &Path) -> Result<Option<Place>, String> {
    let written: Written = serde_json::from_slice(text).map_err(|error| {
        format!("is no checkpoint ({error}); remove it to read from the beginning")
    })?;
    if written.format != FORMAT {
        let format = written.format;
        return Err(format!("has the format {format}, and this program knows {FORMAT} only"));
    }
    if written.path != path.display().to_string() {
        let (theirs, ours) = (written.path, path.display());
        return Err(format!("is for `{theirs}` and not for `{ours}`; give each its own"));
    }
    let place = |place: WrittenPlace| Place {
        mark: Arc::new(place.mark),
        offset: place.offset,
        line: place.line,
    };
    Ok(written.place.map(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let id = FileId { device: 7, inode: u64::MAX };
        let mark = Arc::new(Mark { id, head: Head::of(b"some text") });
        let place = Place { mark, offset: 1 << 60, line: 3 };
        let path = Path::new("a.log");
        for place in [None, Some(place)] {
            let text = write(path, place.as_ref());
            assert_eq!(read(text.as_bytes(), path), Ok(place));
        }
        let text = write(path, None);
        assert!(read(text.as_bytes(), Path::new("b.log")).expect_err("other").contains("`a.log`"));
        let newer = text.replace("\"format\":1", "\"format\":2");
        assert!(read(newer.as_bytes(), path).expect_err("newer").contains("format 2"));
        for cut in 0..text.trim_end().len() {
            assert!(read(&text.as_bytes()[..cut], path).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_head_is_a_beginning() {
        assert_eq!(Head::of(b"a").hash, 0xaf63_dc4c_8601_ec8c, "FNV-1a");
        let head = Head::of(b"abc");
        assert!(head.begins(b"abc") && head.begins(b"abcd"));
        assert!(!head.begins(b"ab") && !head.begins(b"abd"));
        assert!(Head::default().begins(b"anything") && Head::of(b"").begins(b"anything"));
    }
}
