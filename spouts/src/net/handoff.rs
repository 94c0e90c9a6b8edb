//! A bounded queue from the thread with the sockets to the tasks of a spout.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context as Waking, Poll, Waker},
};

use tokio::sync::Notify;

/// Wakers that are kept; older ones are woken instead, and come back if they must.
const WAITING_MAX: usize = 256;

/// Many may put and many may take. Whoever waits is told.
#[derive(Debug)]
pub(crate) struct Handoff<T> {
    state: Mutex<State<T>>,
    room: Notify,
    queued_max: usize,
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
    /// Tasks that found nothing.
    waiting: Vec<Waker>,
}

impl<T> Handoff<T> {
    pub(crate) fn new(queued_max: usize) -> Self {
        let state = Mutex::new(State { queue: VecDeque::new(), waiting: Vec::new() });
        Self { state, room: Notify::new(), queued_max: queued_max.max(1) }
    }

    /// Puts something in, or gives it back if there is no room.
    pub(crate) fn try_put(&self, item: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.queue.len() >= self.queued_max {
            return Err(item);
        }
        state.queue.push_back(item);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Puts something in, once there is room.
    pub(crate) async fn put(&self, mut item: T) {
        loop {
            // Registered before the look, so that no room that is made in between goes unnoticed.
            let room = self.room.notified();
            match self.try_put(item) {
                Ok(()) => return,
                Err(back) => item = back,
            }
            room.await;
        }
    }

    /// Takes what was put in first. Nothing is lost if the caller stops waiting.
    pub(crate) fn poll_take(&self, cx: &mut Waking<'_>) -> Poll<T> {
        let mut state = self.lock();
        if let Some(item) = state.queue.pop_front() {
            let was_full = state.queue.len() + 1 >= self.queued_max;
            drop(state);
            if was_full {
                self.room.notify_waiters();
            }
            return Poll::Ready(item);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            if state.waiting.len() >= WAITING_MAX {
                state.waiting.drain(..).for_each(Waker::wake);
            }
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Drops everything, so that those who wait for an answer are told.
    pub(crate) fn clear(&self) -> usize {
        let queue = std::mem::take(&mut self.lock().queue);
        self.room.notify_waiters();
        queue.len()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().queue.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin};

    use super::*;
    use crate::testing::poll_once;

    #[test]
    fn it_is_bounded_and_in_order() {
        let queue = Handoff::new(2);
        assert_eq!(
            (queue.try_put(1), queue.try_put(2), queue.try_put(3)),
            (Ok(()), Ok(()), Err(3))
        );
        let mut put = pin!(queue.put(3));
        let mut cx = Waking::from_waker(Waker::noop());
        assert!(put.as_mut().poll(&mut cx).is_pending());
        assert_eq!(poll_once(poll_fn(|cx| queue.poll_take(cx))), Some(1));
        assert!(put.as_mut().poll(&mut cx).is_ready());
        for expected in [Some(2), Some(3), None] {
            assert_eq!(poll_once(poll_fn(|cx| queue.poll_take(cx))), expected);
        }
    }

    #[test]
    fn wakers_do_not_pile_up() {
        let queue = Handoff::<u8>::new(2);
        for _ in 0..1_000 {
            assert!(poll_once(poll_fn(|cx| queue.poll_take(cx))).is_none());
        }
        assert!((1..=WAITING_MAX).contains(&queue.lock().waiting.len()));
        assert_eq!(queue.try_put(1), Ok(()));
        assert_eq!(queue.lock().waiting.len(), 0);
        assert_eq!(queue.clear(), 1);
    }
}
