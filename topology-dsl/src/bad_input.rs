//! Input that is no tuple: what a spout hands to the dead letters.

use std::{error::Error as StdError, fmt};

use serde::Serialize;

use crate::Error;

/// A piece of input that a spout could not make into a tuple.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RawInput {
    /// Where it stands, such as `orders.csv:17`.
    pub origin: String,
    /// Its text. Bytes that are no UTF-8 are shown as `U+FFFD`. Of a long one only the beginning:
    /// [`BadInput::BYTES_MAX`] bytes at most.
    pub text: String,
    /// Bytes that were left out behind the text; zero if it is whole.
    pub cut_bytes: u64,
}

/// Why a piece of input is no tuple, and the input itself.
///
/// A spout gives it up by returning this as [`Error::poison`] from [`next`](crate::Spout::next):
/// the input becomes a dead letter, with its origin, its text and the chain of causes, and the
/// spout is asked for what comes next. Dead letters of one task are written in the order in which
/// `next` returned them, each before a tuple that `next` returns after it is emitted.
///
/// ```
/// use tormenta_dsl::{BadInput, Error, Result, Spout};
///
/// /// Emits the numbers of a text, one a line.
/// #[derive(Clone)]
/// struct Numbers { lines: Vec<&'static str>, at: usize }
///
/// impl Spout for Numbers {
///     type Output = u64;
///     type Id = ();
///     async fn next(&mut self) -> Result<Option<(u64, ())>> {
///         let Some(line) = self.lines.get(self.at) else { return Ok(None) };
///         self.at += 1; // before it returns, or it would fail again and again
///         let origin = format_args!("numbers:{}", self.at);
///         let number = line.parse::<u64>();
///         let number = number.map_err(|why| BadInput::new(origin, line.as_bytes(), why));
///         Ok(Some((number.map_err(Error::poison)?, ())))
///     }
/// }
///
/// let why = "x1".parse::<u64>().unwrap_err();
/// let error = Error::poison(BadInput::new("numbers:3", b"x1", why)).context("read");
/// assert_eq!(error.chain(), "read: numbers:3: invalid digit found in string");
/// assert_eq!(BadInput::find(&error).map(|bad| bad.input().text.as_str()), Some("x1"));
/// ```
#[derive(Debug)]
pub struct BadInput {
    input: RawInput,
    source: Box<dyn StdError + Send + Sync>,
}

impl BadInput {
    /// Bytes of the input that are kept: 4 KiB.
    pub const BYTES_MAX: usize = 4 << 10;

    /// Input that stands at `origin` and reads `raw`. What is longer than
    /// [`BYTES_MAX`](BadInput::BYTES_MAX) is cut, and the dead letter says so.
    pub fn new(
        origin: impl fmt::Display,
        raw: &[u8],
        why: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let kept = head(raw);
        let text = String::from_utf8_lossy(kept).into_owned();
        let cut_bytes = (raw.len() - kept.len()) as u64;
        let input = RawInput { origin: origin.to_string(), text, cut_bytes };
        Self { input, source: why.into() }
    }

    /// Says that so many bytes of the input come behind what [`new`](BadInput::new) was given: for
    /// spouts that do not keep the whole of a long one.
    ///
    /// ```
    /// let bad = tormenta_dsl::BadInput::new("a.log:7", b"the beginning", "too long");
    /// assert_eq!(bad.and_more(1 << 30).input().cut_bytes, 1 << 30);
    /// ```
    #[must_use]
    pub fn and_more(mut self, bytes: u64) -> Self {
        self.input.cut_bytes += bytes;
        self
    }

    /// The input.
    #[must_use]
    pub fn input(&self) -> &RawInput {
        &self.input
    }

    /// The bad input that an error is about, if it is about one.
    #[must_use]
    pub fn find(error: &Error) -> Option<&Self> {
        let first: &(dyn StdError + 'static) = error.source();
        let mut chain = std::iter::successors(Some(first), |&cause| cause.source());
        chain.find_map(|cause| cause.downcast_ref())
    }
}

/// The beginning of a text that is too long. A character is not cut in two.
fn head(raw: &[u8]) -> &[u8] {
    let mut end = raw.len().min(BadInput::BYTES_MAX);
    let is_inside = |end: usize| raw.get(end).is_some_and(|byte| byte & 0xc0 == 0x80);
    while is_inside(end) && end + 3 > BadInput::BYTES_MAX {
        end -= 1;
    }
    &raw[..end]
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.input.origin)
    }
}

impl StdError for BadInput {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_between_characters_and_says_so() {
        let max = BadInput::BYTES_MAX;
        for before in 0..4 {
            let raw = "x".repeat(max - before) + "\u{1f980} and more";
            let bad = BadInput::new("a:1", raw.as_bytes(), "why");
            let input = bad.input();
            assert!(raw.starts_with(&input.text), "{before}");
            assert_eq!(input.text.len() as u64 + input.cut_bytes, raw.len() as u64);
            assert!((max - 3..=max).contains(&input.text.len()), "{before}");
        }
        let whole = BadInput::new("a:1", "x".repeat(max).as_bytes(), "why");
        assert_eq!((whole.input().text.len(), whole.input().cut_bytes), (max, 0));
        assert_eq!(whole.and_more(7).input().cut_bytes, 7);
        let garbage = BadInput::new("a:1", &vec![0x80; max + 9], "why");
        assert_eq!(garbage.input().cut_bytes, 12, "no more than a character is given up");
    }

    #[test]
    fn it_is_found_below_what_was_said_about_it() {
        let bad = || BadInput::new("a:1", b"raw", "why");
        let deep = Error::poison(bad()).context("inner").context("outer");
        assert_eq!(deep.chain(), "outer: inner: a:1: why");
        assert!(deep.is_poison() && BadInput::find(&deep).is_some());
        assert!(BadInput::find(&Error::poison("other")).is_none());
    }
}
