//! Reads the sources of one task, one after the other.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, Read},
    sync::Arc,
};

use bytes::Bytes;
use tormenta_dsl::{Error, Result, text::Line};

use super::{
    Progress,
    feed::{Fed, Feed},
    open::{self, Reader},
    pool::Pool,
    sources::Source,
    split::Splitter,
};

/// Bytes of a chunk: large enough that a read costs nothing by the byte, small enough that a chunk
/// is still in the second-level cache when its words are counted.
const CHUNK_BYTES: usize = 256 * 1024;

/// Where a task of [`Lines`](crate::Lines) is.
pub(crate) struct Reading {
    waiting: VecDeque<(u32, Source)>,
    /// What is open; `None` between two sources.
    input: Option<Input>,
    splitter: Splitter,
    /// The source whose lines the splitter holds, and its number.
    source: Source,
    file: u32,
    /// Lines of it that were delivered.
    number: u64,
    line_bytes_max: usize,
    pool: Pool,
    progress: Arc<Progress>,
}

enum Input {
    /// Read where it is needed: a file answers at once.
    Direct(Reader, Option<io::Error>),
    /// Read by a thread.
    Fed(Feed),
}

impl Reading {
    pub(crate) fn new(
        sources: impl Iterator<Item = (u32, Source)>,
        line_bytes_max: usize,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            waiting: sources.collect(),
            input: None,
            splitter: Splitter::new(line_bytes_max),
            source: Source::Stdin,
            file: 0,
            number: 0,
            line_bytes_max,
            pool: Pool::new(CHUNK_BYTES),
            progress,
        }
    }

    /// The next line of what was read; `None` when more must be read.
    #[inline]
    pub(crate) fn line(&mut self) -> Result<Option<Line>> {
        let Some(text) = self.splitter.line().map_err(|_| self.too_long())? else {
            return Ok(None);
        };
        self.number += 1;
        let (file, number) = (self.file, self.number);
        Ok(Some(Line { text, file, number }))
    }

    /// Reads more; false when there is no more. Cancel safe: the only wait is for a thread that
    /// keeps what it read.
    pub(crate) async fn more(&mut self) -> Result<bool> {
        let Some(input) = &mut self.input else {
            return self.open_next();
        };
        let chunk = match input {
            Input::Direct(reader, broken) => read_chunk(reader, broken, &mut self.pool),
            Input::Fed(feed) => match poll_fn(|cx| feed.poll_next(cx)).await {
                Some(Fed::Chunk(chunk)) => Ok(Some(chunk)),
                Some(Fed::Broken(error)) => Err(error),
                Some(Fed::Unopened(error)) => return Err(self.stop(error)),
                None => Ok(None),
            },
        };
        match chunk {
            Ok(Some(chunk)) => self.splitter.push(chunk),
            Ok(None) => {
                self.input = None;
                self.splitter.end();
            }
            Err(error) => {
                let (lines, begun) = (self.number, self.splitter.begun());
                let error = open::broken(&self.source, lines, begun, error);
                return Err(self.stop(error));
            }
        }
        Ok(true)
    }

    fn open_next(&mut self) -> Result<bool> {
        let Some((file, source)) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let progress = self.progress.clone();
        self.input = Some(if matches!(source, Source::File(..)) {
            Input::Direct(open::open(&source, &progress)?, None)
        } else {
            let source = source.clone();
            Input::Fed(Feed::start(move || open::open(&source, &progress))?)
        });
        (self.file, self.source, self.number) = (file, source, 0);
        Ok(true)
    }

    #[cold]
    fn too_long(&mut self) -> Error {
        let (number, source, max) = (self.number + 1, &self.source, self.line_bytes_max);
        self.stop(Error::msg(format!(
            "line {number} of {source} is longer than {max} bytes; allow more with \
             `line_bytes_max`, if this is a text at all"
        )))
    }

    /// The end: after an error there is nothing more to read.
    fn stop(&mut self, error: Error) -> Error {
        self.waiting.clear();
        self.input = None;
        self.splitter.clear();
        error
    }
}

/// Fills a chunk. What was read before an error is delivered first.
fn read_chunk(
    reader: &mut Reader,
    broken: &mut Option<io::Error>,
    pool: &mut Pool,
) -> io::Result<Option<Bytes>> {
    if let Some(error) = broken.take() {
        return Err(error);
    }
    let mut buffer = pool.buffer();
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                *broken = Some(error);
                break;
            }
        }
    }
    let chunk = pool.chunk(buffer, filled);
    match broken.take_if(|_| filled == 0) {
        Some(error) => Err(error),
        None => Ok((filled > 0).then_some(chunk)),
    }
}
