//! The chunks of the sources of one task, one source after the other.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, Read},
    sync::Arc,
};

use bytes::Bytes;
use tormenta_dsl::{Error, Result};

use super::{
    Progress,
    feed::{Fed, Feed},
    open::{self, Reader},
    pool::Pool,
    sources::Source,
};

/// Bytes of a chunk: large enough that a read costs nothing by the byte, small enough that a chunk
/// is still in the second-level cache when its words are counted.
const CHUNK_BYTES: usize = 256 * 1024;

/// Where a task is in its sources.
pub(crate) struct Chunks {
    waiting: VecDeque<(u32, Source)>,
    /// What is open; `None` between two sources.
    input: Option<Input>,
    source: Source,
    file: u32,
    pool: Pool,
    progress: Arc<Progress>,
}

enum Input {
    /// Read where it is needed: a file answers at once.
    Direct(Reader, Option<io::Error>),
    /// Read by a thread.
    Fed(Feed),
}

/// What comes next.
pub(crate) enum More {
    /// Another source was opened; its chunks follow.
    Opened,
    /// A chunk of it, never empty.
    Chunk(Bytes),
    /// The source has ended.
    End,
    /// There is no other source.
    Done,
}

/// Why there is no more.
pub(crate) enum Stop {
    /// The next source could not be opened; the error names it.
    Unopened(Error),
    /// The source cannot be read any further.
    Broken(io::Error),
}

impl Chunks {
    pub(crate) fn new(
        sources: impl IntoIterator<Item = (u32, Source)>,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            waiting: sources.into_iter().collect(),
            input: None,
            source: Source::Stdin,
            file: 0,
            pool: Pool::new(CHUNK_BYTES),
            progress,
        }
    }

    /// The source that was opened last.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The number of that source.
    pub(crate) fn file(&self) -> u32 {
        self.file
    }

    /// The end: after an error there is nothing more to read.
    pub(crate) fn stop(&mut self) {
        self.waiting.clear();
        self.input = None;
    }

    /// Goes on. Cancel safe: the only wait is for a thread that keeps what it read.
    pub(crate) async fn more(&mut self) -> Result<More, Stop> {
        let Some(input) = &mut self.input else {
            return self.open_next().map_err(Stop::Unopened);
        };
        let chunk = match input {
            Input::Direct(reader, broken) => read_chunk(reader, broken, &mut self.pool),
            Input::Fed(feed) => match poll_fn(|cx| feed.poll_next(cx)).await {
                Some(Fed::Chunk(chunk)) => Ok(Some(chunk)),
                Some(Fed::Broken(error)) => Err(error),
                Some(Fed::Unopened(error)) => return Err(Stop::Unopened(error)),
                None => Ok(None),
            },
        };
        match chunk {
            Ok(Some(chunk)) => Ok(More::Chunk(chunk)),
            Ok(None) => {
                self.input = None;
                Ok(More::End)
            }
            Err(error) => Err(Stop::Broken(error)),
        }
    }

    fn open_next(&mut self) -> Result<More> {
        let Some((file, source)) = self.waiting.pop_front() else {
            return Ok(More::Done);
        };
        let progress = self.progress.clone();
        self.input = Some(if matches!(source, Source::File(..)) {
            Input::Direct(open::open(&source, &progress)?, None)
        } else {
            let source = source.clone();
            Input::Fed(Feed::start(move || open::open(&source, &progress))?)
        });
        (self.file, self.source) = (file, source);
        Ok(More::Opened)
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
