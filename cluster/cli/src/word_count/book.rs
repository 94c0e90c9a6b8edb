//! The book that this executable brings along.

use std::io::Read;

use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use tormenta::{Context, Error, Result, Spout, spouts::Line};

/// War and Peace, packed. In the public domain; see `assets/README.md`.
const PACKED: &[u8] = include_bytes!("../../assets/war-and-peace.txt.gz");

/// Emits the lines of the book.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    rest: Bytes,
    number: u64,
}

impl Spout for Book {
    type Output = Line;
    type Id = ();

    async fn prepare(&mut self, _cx: &Context) -> Result {
        let mut text = Vec::new();
        let unpacked = GzDecoder::new(PACKED).read_to_end(&mut text);
        unpacked.map_err(|error| Error::from(error).context("unpack the book"))?;
        (self.rest, self.number) = (text.into(), 0);
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(Line, ())>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let end = memchr::memchr(b'\n', &self.rest).unwrap_or(self.rest.len());
        let text = self.rest.split_to(end);
        self.rest.advance(self.rest.len().min(1));
        self.number += 1;
        Ok(Some((Line { text, file: 0, number: self.number }, ())))
    }
}
