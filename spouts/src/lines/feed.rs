//! Chunks from something that may make a reader wait for ever: standard input, a pipe.
//!
//! A thread reads, so that the task stays free to take acks. Between them is a queue with room for
//! a few chunks; when it is full, the thread waits, and whoever writes the pipe with it.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context as Waking, Poll, Waker},
    thread,
};

use bytes::Bytes;
use tormenta_dsl::{Error, Result};

use super::open::Reader;

/// Chunks that wait at most.
const QUEUED_MAX: usize = 8;

/// Bytes of a chunk. As much as a pipe holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// The reading end. Dropping it ends the thread, as soon as its read returns.
#[derive(Debug)]
pub(crate) struct Feed {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Fed>,
    /// The thread has nothing more to give.
    ended: bool,
    /// Nobody wants any more.
    closed: bool,
    waker: Option<Waker>,
}

/// What the thread has to say.
#[derive(Debug)]
pub(crate) enum Fed {
    Chunk(Bytes),
    /// The source could not be opened.
    Unopened(Error),
    /// The source could not be read any further.
    Broken(io::Error),
}

impl Feed {
    /// Starts the thread. What `open` does is done there as well: even to look at the first byte
    /// of a pipe is to wait for it.
    pub(crate) fn start(open: impl FnOnce() -> Result<Reader> + Send + 'static) -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let end = End(shared.clone());
        thread::Builder::new()
            .name("tormenta-lines".to_owned())
            .spawn(move || end.0.run(open))
            .map_err(|e| Error::from(e).context("start a thread that reads a pipe"))?;
        Ok(Self { shared })
    }

    /// The next chunk, an error, or the end. Nothing is lost if the caller stops waiting.
    pub(crate) fn poll_next(&mut self, cx: &mut Waking<'_>) -> Poll<Option<Fed>> {
        let mut state = self.shared.lock();
        if let Some(fed) = state.queue.pop_front() {
            self.shared.room.notify_one();
            return Poll::Ready(Some(fed));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.room.notify_one();
    }
}

impl Shared {
    fn run(&self, open: impl FnOnce() -> Result<Reader>) {
        let mut reader = match open() {
            Ok(reader) => reader,
            Err(error) => {
                self.put(Fed::Unopened(error));
                return;
            }
        };
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let fed = match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => Fed::Chunk(Bytes::copy_from_slice(&buffer[..read])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Fed::Broken(error),
            };
            let last = matches!(fed, Fed::Broken(_));
            if !self.put(fed) || last {
                return;
            }
        }
    }

    /// Waits for room; false when nobody wants any more.
    fn put(&self, fed: Fed) -> bool {
        let full = |state: &mut State| state.queue.len() >= QUEUED_MAX && !state.closed;
        let waited = self.room.wait_while(self.lock(), full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.queue.push_back(fed);
        let (closed, waker) = (state.closed, state.waker.take());
        drop(state);
        waker.inspect(Waker::wake_by_ref);
        !closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that the thread has ended, however it did.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        let waker = state.waker.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::mpsc};

    use super::*;
    use crate::testing::{block_on, poll_once};

    /// A reader of the chunks that the test sends.
    struct Sent(mpsc::Receiver<Vec<u8>>);

    impl Read for Sent {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let chunk = self.0.recv().unwrap_or_default();
            into[..chunk.len()].copy_from_slice(&chunk);
            Ok(chunk.len())
        }
    }

    fn next(feed: &mut Feed) -> Option<Bytes> {
        match block_on(poll_fn(|cx| feed.poll_next(cx)))? {
            Fed::Chunk(chunk) => Some(chunk),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_waits_is_not_blocked_and_loses_nothing() {
        let (send, receive) = mpsc::channel();
        let mut feed = Feed::start(move || Ok(Box::new(Sent(receive)) as Reader)).expect("started");
        assert!(poll_once(poll_fn(|cx| feed.poll_next(cx))).is_none());
        for text in [b"a".to_vec(), b"b".to_vec()] {
            send.send(text.clone()).expect("the thread lives");
            assert_eq!(next(&mut feed).expect("a chunk"), text);
        }
        drop(send);
        assert_eq!(next(&mut feed), None);
        assert_eq!(next(&mut feed), None);
    }

    #[test]
    fn the_thread_waits_when_nobody_reads() {
        let (send, receive) = mpsc::sync_channel(0);
        struct Rendezvous(mpsc::Receiver<u8>);
        impl Read for Rendezvous {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                into[0] = self.0.recv().unwrap_or_default();
                Ok(1)
            }
        }
        let open = move || Ok(Box::new(Rendezvous(receive)) as Reader);
        let feed = Feed::start(open).expect("started");
        // One more than fits is read before the thread notices that there is no room.
        for byte in 0..=QUEUED_MAX {
            send.send(byte as u8).expect("the thread lives");
        }
        assert!(send.try_send(99).is_err(), "the queue is bounded");
        drop(feed);
        // The thread notices that nobody wants any more, and its reader is dropped.
        while send.try_send(99) != Err(mpsc::TrySendError::Disconnected(99)) {
            thread::yield_now();
        }
    }

    #[test]
    fn errors_come_after_what_was_read() {
        struct Failing(u8);
        impl Read for Failing {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                into[0] = self.0;
                if self.0 < 3 { Ok(1) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
            }
        }
        let mut feed = Feed::start(|| Ok(Box::new(Failing(0)) as Reader)).expect("started");
        assert_eq!(next(&mut feed).expect("a chunk"), [1][..]);
        assert_eq!(next(&mut feed).expect("a chunk"), [2][..]);
        let broken = block_on(poll_fn(|cx| feed.poll_next(cx)));
        assert!(matches!(broken, Some(Fed::Broken(_))));
        assert!(block_on(poll_fn(|cx| feed.poll_next(cx))).is_none());
    }
}
