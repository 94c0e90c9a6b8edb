//! Splits the chunks of one task into lines.

use tormenta_dsl::{Error, Result, text::Line};

use super::{
    chunks::{Chunks, More, Stop},
    open,
    sources::Source,
    split::Splitter,
};

/// Where a task of [`Lines`](crate::Lines) is.
pub(crate) struct Reading {
    chunks: Chunks,
    splitter: Splitter,
    /// Lines of the source that were delivered.
    number: u64,
    line_bytes_max: usize,
}

impl Reading {
    pub(crate) fn new(chunks: Chunks, line_bytes_max: usize) -> Self {
        Self { chunks, splitter: Splitter::new(line_bytes_max), number: 0, line_bytes_max }
    }

    /// The next line of what was read; `None` when more must be read.
    #[inline]
    pub(crate) fn line(&mut self) -> Result<Option<Line>> {
        let Some(text) = self.splitter.line().map_err(|_| self.too_long())? else {
            return Ok(None);
        };
        self.number += 1;
        let (file, number) = (self.chunks.file(), self.number);
        Ok(Some(Line { text, file, number }))
    }

    /// Reads more; false when there is no more. Cancel safe.
    pub(crate) async fn more(&mut self) -> Result<bool> {
        match self.chunks.more().await {
            Ok(More::Chunk(chunk)) => self.splitter.push(chunk),
            Ok(More::End) => self.splitter.end(),
            Ok(More::Opened) => self.number = 0,
            Ok(More::Done) => return Ok(false),
            Err(Stop::Unopened(error)) => return Err(self.stop(error)),
            Err(Stop::Broken(error)) => {
                let (lines, begun) = (self.number, self.splitter.begun());
                let error = open::broken(self.chunks.source(), lines, begun, error);
                return Err(self.stop(error));
            }
        }
        Ok(true)
    }

    /// The source that the last line came from.
    pub(crate) fn source(&self) -> &Source {
        self.chunks.source()
    }

    #[cold]
    fn too_long(&mut self) -> Error {
        let (number, max) = (self.number + 1, self.line_bytes_max);
        let source = self.chunks.source();
        let error = Error::msg(format!(
            "line {number} of {source} is longer than {max} bytes; allow more with \
             `line_bytes_max`, if this is a text at all"
        ));
        self.stop(error)
    }

    /// The end: after an error there is nothing more to read.
    fn stop(&mut self, error: Error) -> Error {
        self.chunks.stop();
        self.splitter.clear();
        error
    }
}
