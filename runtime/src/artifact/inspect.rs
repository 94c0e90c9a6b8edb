//! Tells artifacts from other files, without executing anything.
//!
//! Every artifact has a mark among its constants: a word that stands in no other file, the version
//! of what was agreed on the command line and of the engine.
//!
//! ```text
//!   DEL "tormenta-artifact" DEL <agreement> ' ' <version of tormenta> DEL
//! ```

use std::{
    fs::File,
    hint::black_box,
    io::{self, Read},
    path::Path,
};

/// The mark. It gets into an executable only through [`bear_the_mark`].
static MARK: &str = concat!("\x7ftormenta-artifact\x7f1 ", env!("CARGO_PKG_VERSION"), "\x7f");

/// The agreement that this version keeps: [`run`](super::main), `describe`, `--summary`.
const AGREEMENT: u32 = 1;

/// The beginning of the mark with its case changed, because whoever looks for the mark must not
/// bear it.
const NEEDLE: &[u8] = b"\x5fTORMENTA\x0dARTIFACT\x5f";

/// Bytes that may follow the beginning of the mark.
const REST_BYTES_MAX: usize = 64;

/// Bytes that are looked at at a time.
const WINDOW_BYTES: usize = 1 << 20;

/// Has the linker keep the mark in this executable.
pub(crate) fn bear_the_mark() {
    black_box(MARK);
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspected {
    /// An artifact that this version can talk to.
    Artifact {
        /// The version of tormenta that it was built with.
        version: String,
    },
    /// An artifact of a version that has agreed on something else.
    Foreign {
        /// The version of tormenta that it was built with.
        version: String,
    },
    /// Anything else.
    Other,
}

/// Looks into a file, and executes nothing.
///
/// ```
/// use tormenta_runtime::artifact::{Inspected, inspect};
///
/// let found = inspect("Cargo.toml".as_ref())?;
/// assert_eq!(found, Inspected::Other);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the file cannot be read.
pub fn inspect(path: &Path) -> io::Result<Inspected> {
    let needle: Vec<u8> = black_box(NEEDLE).iter().map(|byte| byte ^ 0x20).collect();
    Ok(look(File::open(path)?, &needle)?.and_then(|rest| parse(&rest)).unwrap_or(Inspected::Other))
}

/// What follows the needle.
fn look(mut file: impl Read, needle: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let finder = memchr::memmem::Finder::new(needle);
    let kept_max = needle.len() + REST_BYTES_MAX;
    let mut window = Vec::with_capacity(kept_max + WINDOW_BYTES);
    loop {
        let read = file.by_ref().take(WINDOW_BYTES as u64).read_to_end(&mut window)?;
        for at in finder.find_iter(&window) {
            let rest = &window[at + needle.len()..];
            if rest.len() >= REST_BYTES_MAX || read == 0 {
                return Ok(Some(rest[..rest.len().min(REST_BYTES_MAX)].to_vec()));
            }
        }
        if read == 0 {
            return Ok(None);
        }
        // The mark may lie across the border of two windows.
        window.drain(..window.len().saturating_sub(kept_max));
    }
}

fn parse(rest: &[u8]) -> Option<Inspected> {
    let end = rest.iter().position(|byte| *byte == 0x7f)?;
    let (agreement, version) = std::str::from_utf8(&rest[..end]).ok()?.split_once(' ')?;
    let version = version.to_owned();
    let agreement: u32 = agreement.parse().ok()?;
    Some(match agreement {
        AGREEMENT => Inspected::Artifact { version },
        _ => Inspected::Foreign { version },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks for a mark that is none, so that this test bears none either.
    fn found(file: &[u8]) -> Option<Inspected> {
        look(file, b"<mark>").expect("readable").and_then(|rest| parse(&rest))
    }

    #[test]
    fn the_mark_is_found_wherever_it_stands() {
        let artifact = Some(Inspected::Artifact { version: "0.1.0".into() });
        for before in [0, 1, WINDOW_BYTES - 90, WINDOW_BYTES - 3, WINDOW_BYTES, 3 * WINDOW_BYTES] {
            for after in [0, 1, 100, WINDOW_BYTES] {
                let mut file = vec![0; before];
                file.extend_from_slice(b"<mark>1 0.1.0\x7f");
                file.resize(file.len() + after, 0);
                assert_eq!(found(&file), artifact, "{before} before, {after} after");
            }
        }
    }

    #[test]
    fn other_files_are_other() {
        let foreign = Some(Inspected::Foreign { version: "9.0".into() });
        assert_eq!(found(b"<mark>2 9.0\x7f"), foreign);
        for file in [&b""[..], b"#!/bin/sh", b"<mark>", b"<mark>1 0.1", b"<mark>\xff\x7f"] {
            assert_eq!(found(file), None, "{file:?}");
        }
    }

    #[test]
    fn the_needle_is_the_beginning_of_the_mark() {
        let needle: Vec<u8> = NEEDLE.iter().map(|byte| byte ^ 0x20).collect();
        let rest = MARK.as_bytes().strip_prefix(&needle[..]).expect("it begins like that");
        let version = env!("CARGO_PKG_VERSION").to_owned();
        assert_eq!(parse(rest), Some(Inspected::Artifact { version }));
        assert!(rest.len() <= REST_BYTES_MAX);
    }
}
