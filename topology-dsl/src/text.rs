//! Lines and words: the tuples that sources of text and their readers have in common.
//!
//! Both are slices of the chunk that was read. Nothing is copied and nothing has to be UTF-8; in
//! exchange a slice keeps its whole chunk in memory, so that who *keeps* a word copies it first:
//! `Bytes::copy_from_slice(&word)`.

use std::iter::FusedIterator;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Tuple;

/// A line of a text.
///
/// ```
/// use tormenta_dsl::text::Line;
///
/// let line = Line::new("to be,\tor not");
/// let words: Vec<_> = line.words().collect();
/// assert_eq!(words, ["to", "be,", "or", "not"]);
/// ```
#[derive(Tuple, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line without its end: it never ends in `\n` or `\r`.
    pub text: Bytes,
    /// Which of the files it stands in, counted from zero.
    pub file: u32,
    /// Number of the line in its file, counted from one.
    pub number: u64,
}

impl Line {
    /// The first line of the first file, for tests and for sources that number nothing.
    #[must_use]
    pub fn new(text: impl Into<Bytes>) -> Self {
        Self { text: text.into(), file: 0, number: 1 }
    }

    /// The words of the line: see [`words`].
    #[must_use]
    #[inline]
    pub fn words(&self) -> Words<'_> {
        words(&self.text)
    }
}

/// A word of a line.
///
/// ```
/// use tormenta_dsl::text::Word;
///
/// assert_eq!(Word::new("storm").word, "storm");
/// ```
#[derive(Tuple, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The word.
    pub word: Bytes,
}

impl Word {
    /// This word.
    #[must_use]
    pub fn new(word: impl Into<Bytes>) -> Self {
        Self { word: word.into() }
    }
}

/// The words of a text: its longest runs of bytes other than tab, line feed, form feed, carriage
/// return and space. Case, punctuation and bytes that are no UTF-8 stay as they are.
///
/// ```
/// use bytes::Bytes;
/// use tormenta_dsl::text::words;
///
/// let text = Bytes::from_static(b"  E agora,\xff Jos\xc3\xa9?\r\n");
/// let found: Vec<_> = words(&text).collect();
/// assert_eq!(found, [&b"E"[..], b"agora,\xff", b"Jos\xc3\xa9?"]);
/// ```
#[must_use]
#[inline]
pub fn words(text: &Bytes) -> Words<'_> {
    Words { text, at: 0 }
}

/// Iterator over the words of a text. Made by [`words`] and [`Line::words`].
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a Bytes,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = Bytes;

    #[inline]
    fn next(&mut self) -> Option<Bytes> {
        let text = &self.text[..];
        let start = self.at + text[self.at..].iter().position(|byte| !is_space(*byte))?;
        self.at = word_end(text, start + 1);
        Some(self.text.slice(start..self.at))
    }
}

impl FusedIterator for Words<'_> {}

#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// The first space at or after `at`, or the end.
///
/// Words have no fixed length, so that a loop over bytes mispredicts its end once a word. Here
/// eight bytes at a time are asked whether any of them is at most a space, which in text is rarely
/// anything but a space.
#[inline]
fn word_end(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    while let Some(&eight) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let eight = u64::from_le_bytes(eight);
        // The lowest flag is exact; those above it may be wrong, because of the borrow.
        let low = eight.wrapping_sub(ONES * 0x21) & !eight & HIGHS;
        if low == 0 {
            at += 8;
            continue;
        }
        at += low.trailing_zeros() as usize / 8;
        if is_space(text[at]) {
            return at;
        }
        at += 1;
    }
    let rest = text[at..].iter().position(|byte| is_space(*byte));
    rest.map_or(text.len(), |rest| at + rest)
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn naive(text: &[u8]) -> Vec<Vec<u8>> {
        let words = text.split(|byte| [0x09, 0x0a, 0x0c, 0x0d, 0x20].contains(byte));
        words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
    }

    fn found(text: Vec<u8>) -> Vec<Vec<u8>> {
        words(&Bytes::from(text)).map(|word| word.to_vec()).collect()
    }

    quickcheck! {
        fn any_bytes_have_the_words_of_a_naive_split(text: Vec<u8>) -> bool {
            found(text.clone()) == naive(&text)
        }

        fn long_words_and_control_bytes_do_too(text: Vec<u8>) -> bool {
            let palette = b"aaaaaaaaaaaaaaaaaaaaz\x08\x0b\x1f\x20\x09\x0a\x0c\x0d\x80\xff!";
            let text: Vec<u8> =
                text.iter().map(|byte| palette[usize::from(*byte) % palette.len()]).collect();
            found(text.clone()) == naive(&text)
        }
    }

    #[test]
    fn words_share_the_memory_of_their_line() {
        let line = Line::new(b"one two".to_vec());
        let two = line.words().nth(1).map(|word| word.as_ptr());
        assert_eq!(two, Some(line.text[4..].as_ptr()));
    }

    #[test]
    fn a_line_fits_a_cache_line() {
        assert!(size_of::<Line>() <= 48, "with root and edge");
    }

    #[test]
    fn a_line_is_its_own_record() {
        let line = Line { text: Bytes::from_static(b"a\xff"), file: 2, number: 7 };
        let record = line.to_record().expect("a line is plain");
        assert_eq!(record.to::<Line>().expect("and comes back"), line);
    }
}
