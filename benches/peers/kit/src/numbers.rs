//! The source of every workload.

use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::events::Share;

/// What each source of this process emitted, noted when the source is dropped.
static EMITTED: Mutex<Vec<(u64, Share)>> = Mutex::new(Vec::new());

/// Counts 0, 1, 2, .. until its time is over; the clock is read once a chunk.
///
/// Take whole chunks with [`Numbers::chunk`] or single numbers as an iterator.
pub struct Numbers {
    next: u64,
    chunk_end: u64,
    chunk_len: u64,
    deadline: Instant,
    share: Share,
}

impl Numbers {
    /// Counts from now on for `time`.
    #[must_use]
    pub fn counting_for(time: Duration, chunk_len: u64) -> Self {
        Self {
            next: 0,
            chunk_end: 0,
            chunk_len,
            deadline: Instant::now() + time,
            share: Share {
                index: 0,
                sources: 1,
            },
        }
    }

    /// The numbers stand for this part of all events.
    #[must_use]
    pub fn of(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// The next numbers, or nothing when the time is over.
    #[inline]
    pub fn chunk(&mut self) -> Option<Range<u64>> {
        self.open_chunk()?;
        let chunk = self.next..self.chunk_end;
        self.next = self.chunk_end;
        Some(chunk)
    }

    fn open_chunk(&mut self) -> Option<()> {
        (Instant::now() < self.deadline).then(|| self.chunk_end = self.next + self.chunk_len)
    }
}

impl Iterator for Numbers {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.next == self.chunk_end {
            self.open_chunk()?;
        }
        let number = self.next;
        self.next += 1;
        Some(number)
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        EMITTED
            .lock()
            .expect("no source panics while it notes")
            .push((self.next, self.share));
    }
}

/// How many numbers each source has emitted; complete once the engine has stopped.
pub(crate) fn emitted() -> Vec<(u64, Share)> {
    EMITTED
        .lock()
        .expect("no source panics while it notes")
        .clone()
}
