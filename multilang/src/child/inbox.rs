//! From the reader of a child to its task: batches of messages, and the end.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use super::Heard;

/// Bytes of messages that wait for the task, before the child has to.
const BYTES_MAX: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    room: Condvar,
    has_news: AtomicBool,
}

#[derive(Default)]
struct State {
    heard: VecDeque<Heard>,
    bytes: usize,
    waker: Option<Waker>,
    abandoned: bool,
}

impl Inbox {
    /// Hands a batch over, once there is room. False if nobody wants it.
    pub(super) fn put(&self, batch: &mut VecDeque<Heard>, bytes: usize) -> bool {
        let mut state = self.lock();
        while state.bytes >= BYTES_MAX && !state.abandoned {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.abandoned {
            return false;
        }
        state.heard.append(batch);
        state.bytes += bytes;
        self.has_news.store(true, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    pub(super) fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Acquire)
    }

    pub(super) fn take(&self, heard: &mut VecDeque<Heard>) {
        if !self.has_news() {
            return;
        }
        let mut state = self.lock();
        if heard.is_empty() {
            std::mem::swap(heard, &mut state.heard);
        } else {
            heard.append(&mut state.heard);
        }
        state.bytes = 0;
        self.has_news.store(false, Ordering::Release);
        drop(state);
        self.room.notify_one();
    }

    /// To be woken when something comes. Looked at by `has_news` after that.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let mut state = self.lock();
        match &mut state.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// The task is gone.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        drop(state);
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
