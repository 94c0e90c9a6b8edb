//! Keeps a panic in user code to the task it happened in.

use std::{
    any::Any,
    cell::Cell,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use super::panics::{self, At};

/// A loop of one task.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()>>>;

/// Runs the loop of a task and starts it anew when user code panics. A panic of the engine itself
/// is for the core to deal with, which asks for it after it has polled: see [`take_bug`].
pub(crate) struct Guarded {
    running: Option<Running>,
    restart: Box<dyn FnMut(String) -> Running>,
    /// Whether the engine's own code has panicked. Nobody knows what state it is in.
    is_broken: bool,
}

impl Guarded {
    /// A loop, and how to make the next one: given the message of the panic that ended the last.
    pub(crate) fn new(running: Running, restart: impl FnMut(String) -> Running + 'static) -> Self {
        Self { running: Some(running), restart: Box::new(restart), is_broken: false }
    }
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Inside of what emits to it, where it is fused: that is user code, and this is not.
        let _entered = panics::enter(At::Engine);
        loop {
            if self.is_broken {
                return Poll::Pending;
            }
            let Some(running) = self.running.as_mut() else { return Poll::Ready(()) };
            // The state that a panic leaves half changed is the user's bolt, which is thrown away.
            match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => self.running = None,
                Err(panic) => {
                    if let Some(bug) = panics::bug(&*panic) {
                        BUG.set(Some(bug));
                        self.is_broken = true;
                        continue;
                    }
                    self.running = None;
                    let next = (self.restart)(message(&*panic));
                    self.running = Some(next);
                }
            }
        }
    }
}

thread_local! {
    static BUG: Cell<Option<String>> = const { Cell::new(None) };
}

/// A bug of the engine that a loop of this thread has run into since this was last asked.
pub(crate) fn take_bug() -> Option<String> {
    BUG.take()
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
