//! Chunks in, lines out.
//!
//! Pure: no file, no clock. A line that lies within a chunk is a slice of it and costs no
//! allocation; only the one that crosses a border is put together from its parts.

use bytes::Bytes;
use memchr::memchr;

/// Cuts chunks into lines.
///
/// A line ends at `\n`; carriage returns before it belong to the end. The last line needs no end.
#[derive(Debug)]
pub(crate) struct Splitter {
    chunk: Bytes,
    /// Bytes of `chunk` that are cut already.
    at: usize,
    /// The beginning of a line whose end is in a chunk to come.
    begun: Vec<u8>,
    ended: bool,
    line_bytes_max: usize,
}

/// A line is longer than the limit. What it holds of the line is dropped with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Splitter {
    pub(crate) fn new(line_bytes_max: usize) -> Self {
        Self { chunk: Bytes::new(), at: 0, begun: Vec::new(), ended: false, line_bytes_max }
    }

    /// Gives it the next chunk, once [`line`](Splitter::line) had nothing more to give.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty() && !self.ended);
        self.chunk = chunk;
    }

    /// Says that there is no further chunk: what was begun is the last line.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Forgets what was begun.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.line_bytes_max);
    }

    /// Bytes of a line whose end has not been seen.
    pub(crate) fn begun(&self) -> usize {
        self.begun.len()
    }

    /// Bytes of the chunk that were consumed.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next line, without its end; `None` when another chunk is needed. After the
    /// [`end`](Splitter::end) it is `None` once and then starts anew.
    #[inline]
    pub(crate) fn line(&mut self) -> Result<Option<Bytes>, TooLong> {
        let rest = &self.chunk[self.at..];
        let Some(length) = memchr(b'\n', rest) else {
            return self.chunk_is_cut();
        };
        let start = self.at;
        self.at += length + 1;
        if self.begun.len() + length > self.line_bytes_max {
            return Err(TooLong);
        }
        if self.begun.is_empty() {
            let length = without_returns(&rest[..length]);
            return Ok(Some(self.chunk.slice(start..start + length)));
        }
        self.begun.extend_from_slice(&rest[..length]);
        Ok(Some(self.put_together()))
    }

    fn chunk_is_cut(&mut self) -> Result<Option<Bytes>, TooLong> {
        let rest = &self.chunk[self.at..];
        if self.begun.len() + rest.len() > self.line_bytes_max {
            return Err(TooLong);
        }
        self.begun.extend_from_slice(rest);
        self.chunk = Bytes::new();
        self.at = 0;
        if std::mem::take(&mut self.ended) && !self.begun.is_empty() {
            return Ok(Some(self.put_together()));
        }
        Ok(None)
    }

    fn put_together(&mut self) -> Bytes {
        let mut line = std::mem::take(&mut self.begun);
        line.truncate(without_returns(&line));
        Bytes::from(line)
    }
}

/// Length of a line without the carriage returns at its end.
#[inline]
fn without_returns(line: &[u8]) -> usize {
    let last = line.iter().rposition(|byte| *byte != b'\r');
    last.map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    /// What [`Splitter`] must do, in the fewest words.
    fn naive(text: &[u8]) -> Vec<Vec<u8>> {
        let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        let bare = |line: &[u8]| {
            let mut line = line.to_vec();
            while line.last() == Some(&b'\r') {
                line.pop();
            }
            line
        };
        lines.into_iter().map(bare).collect()
    }

    /// Cuts `text` into chunks of these sizes, over and over.
    fn chunks(text: &[u8], sizes: &[u8]) -> Vec<Bytes> {
        let mut sizes = sizes.iter().map(|size| 1 + usize::from(*size)).cycle();
        let (mut chunks, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(7).min(rest.len());
            chunks.push(Bytes::copy_from_slice(&rest[..size]));
            rest = &rest[size..];
        }
        chunks
    }

    fn split(
        text: &[u8],
        sizes: &[u8],
        line_bytes_max: usize,
    ) -> (Vec<Vec<u8>>, Result<(), TooLong>) {
        let mut splitter = Splitter::new(line_bytes_max);
        let (mut lines, mut chunks) = (Vec::new(), chunks(text, sizes).into_iter());
        let mut more = true;
        while more {
            match chunks.next() {
                Some(chunk) => splitter.push(chunk),
                None => {
                    splitter.end();
                    more = false;
                }
            }
            loop {
                match splitter.line() {
                    Ok(Some(line)) => lines.push(line.to_vec()),
                    Ok(None) => break,
                    Err(too_long) => return (lines, Err(too_long)),
                }
            }
        }
        (lines, Ok(()))
    }

    /// Bytes in which line ends are as frequent as they have to be to meet each other.
    fn rich_in_ends(bytes: &[u8]) -> Vec<u8> {
        let palette = b"\n\n\r\rab \xff";
        bytes.iter().map(|byte| palette[usize::from(*byte) % palette.len()]).collect()
    }

    quickcheck! {
        fn any_bytes_in_any_chunks_split_as_if_naively(text: Vec<u8>, sizes: Vec<u8>) -> bool {
            split(&text, &sizes, usize::MAX) == (naive(&text), Ok(()))
        }

        fn line_ends_may_meet_the_ends_of_chunks(text: Vec<u8>, sizes: Vec<u8>) -> bool {
            let text = rich_in_ends(&text);
            let small: Vec<u8> = sizes.iter().map(|size| size % 4).collect();
            split(&text, &small, usize::MAX) == (naive(&text), Ok(()))
        }

        fn the_limit_does_not_depend_on_chunks(text: Vec<u8>, sizes: Vec<u8>, max: u8) -> bool {
            let (text, max) = (rich_in_ends(&text), usize::from(max % 8));
            let bytes = |line: &&[u8]| line.len() <= max;
            let fit = text.split(|byte| *byte == b'\n').take_while(bytes).count();
            let (lines, result) = split(&text, &sizes, max);
            let all = naive(&text);
            if result.is_ok() {
                lines == all && fit == text.split(|byte| *byte == b'\n').count()
            } else {
                lines == all[..fit]
            }
        }
    }

    #[test]
    fn every_kind_of_line_end() {
        let (lines, _) = split(b"a\r\nb\n\r\n\nc\rd\r\r\ne\r", &[2], 100);
        let expected = [&b"a"[..], b"b", b"", b"", b"c\rd", b"e"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn lines_are_slices_of_their_chunk() {
        let chunk = Bytes::from_static(b"one\ntwo\nthr");
        let mut splitter = Splitter::new(100);
        splitter.push(chunk.clone());
        for start in [0, 4] {
            let line = splitter.line().ok().flatten().expect("a line");
            assert_eq!(line.as_ptr(), chunk[start..].as_ptr());
        }
        assert_eq!(splitter.line(), Ok(None));
        assert_eq!(splitter.begun(), 3);
    }
}
