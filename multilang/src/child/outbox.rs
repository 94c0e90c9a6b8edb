//! From a task to the writer of its child: bytes, those first that cannot wait.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// Bytes that wait to be written, before the task has to.
const BYTES_MAX: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    work: Condvar,
    /// Those of `later`.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    first: Vec<u8>,
    later: Vec<u8>,
    waker: Option<Waker>,
    closed: bool,
    abandoned: bool,
}

impl Outbox {
    /// Takes the bytes, and leaves their memory to the caller.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let mut state = self.lock();
        if state.later.is_empty() {
            std::mem::swap(&mut state.later, bytes);
        } else {
            state.later.extend_from_slice(bytes);
        }
        self.waiting.store(state.later.len(), Ordering::Release);
        drop(state);
        bytes.clear();
        self.work.notify_one();
    }

    pub(super) fn put_first(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if !state.closed {
            state.first.extend_from_slice(bytes);
        }
        drop(state);
        self.work.notify_one();
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= BYTES_MAX
    }

    /// To be woken when there is room. Looked at by `is_full` after that.
    pub(super) fn set_waker(&self, waker: &Waker) {
        self.lock().waker = Some(waker.clone());
    }

    /// Nothing will come behind what is there.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    /// The task is gone, or the child: nothing is written any more.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        state.later.clear();
        self.waiting.store(0, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        self.work.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for bytes. False when there will be none.
    pub(super) fn take(&self, first: &mut Vec<u8>, later: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        loop {
            if state.abandoned {
                return false;
            }
            if !state.first.is_empty() || !state.later.is_empty() {
                break;
            }
            if state.closed {
                return false;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.first, first);
        std::mem::swap(&mut state.later, later);
        self.waiting.store(0, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
