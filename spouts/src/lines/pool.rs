//! Buffers for chunks, used again as soon as nobody looks at them any more.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Chunks that are remembered; more of them are in use where lines wait for a slow reader.
const REMEMBERED_MAX: usize = 4;

/// Makes buffers of one size.
///
/// A fresh buffer costs page faults and comes cold. When the lines and words of a chunk are gone,
/// and in a topology that keeps up they soon are, its memory is taken back, warm.
#[derive(Debug)]
pub(crate) struct Pool {
    chunk_bytes: usize,
    /// Chunks that were given out, oldest first.
    given: VecDeque<Bytes>,
    spare: Option<BytesMut>,
}

impl Pool {
    pub(crate) fn new(chunk_bytes: usize) -> Self {
        Self { chunk_bytes, given: VecDeque::new(), spare: None }
    }

    /// A buffer full of whatever was in it.
    pub(crate) fn buffer(&mut self) -> BytesMut {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        match self.given.pop_front().map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => return buffer,
            // Somebody keeps a slice of the oldest. It stays in line while there is room.
            Some(Err(chunk)) if self.given.len() + 1 < REMEMBERED_MAX => {
                self.given.push_front(chunk);
            }
            _ => {}
        }
        BytesMut::zeroed(self.chunk_bytes)
    }

    /// The first `filled` bytes of a buffer as a chunk.
    pub(crate) fn chunk(&mut self, buffer: BytesMut, filled: usize) -> Bytes {
        // A few bytes must not keep a large buffer alive: there may be thousands of small files.
        if filled < self.chunk_bytes / 2 {
            let chunk = Bytes::copy_from_slice(&buffer[..filled]);
            self.spare = Some(buffer);
            return chunk;
        }
        let whole = buffer.freeze();
        let chunk = whole.slice(..filled);
        self.given.push_back(whole);
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pool: &mut Pool, bytes: usize) -> (*const u8, Bytes) {
        let buffer = pool.buffer();
        (buffer.as_ptr(), pool.chunk(buffer, bytes))
    }

    #[test]
    fn memory_comes_back_when_its_slices_are_gone() {
        let mut pool = Pool::new(64);
        let (first, chunk) = filled(&mut pool, 64);
        let slice = chunk.slice(3..5);
        drop(chunk);
        let (second, chunk) = filled(&mut pool, 64);
        assert_ne!(first, second, "a slice is still in use");
        drop((slice, chunk));
        assert_eq!(filled(&mut pool, 60).0, first);
    }

    #[test]
    fn a_reader_that_keeps_everything_is_not_waited_for() {
        let mut pool = Pool::new(64);
        let kept: Vec<Bytes> = (0..100).map(|_| filled(&mut pool, 64).1).collect();
        assert!(pool.given.len() <= REMEMBERED_MAX);
        assert_eq!(kept.len(), 100);
    }

    #[test]
    fn a_small_chunk_is_a_copy() {
        let mut pool = Pool::new(64);
        let (buffer, chunk) = filled(&mut pool, 10);
        assert_eq!((chunk.len(), filled(&mut pool, 10).0), (10, buffer));
    }
}
