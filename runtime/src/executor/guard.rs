//! Keeps a panic in user code to the task it happened in.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

/// A loop of one task.
pub(crate) type Running = Pin<Box<dyn Future<Output = ()>>>;

/// Runs the loop of a task and starts it anew when it panics.
pub(crate) struct Guarded {
    running: Option<Running>,
    restart: Box<dyn FnMut(String) -> Running>,
}

impl Guarded {
    /// A loop, and how to make the next one: given the message of the panic that ended the last.
    pub(crate) fn new(running: Running, restart: impl FnMut(String) -> Running + 'static) -> Self {
        Self { running: Some(running), restart: Box::new(restart) }
    }
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(running) = self.running.as_mut() else { return Poll::Ready(()) };
            // The state that a panic leaves half changed is the user's bolt, which is thrown away.
            match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => self.running = None,
                Err(panic) => {
                    self.running = None;
                    let next = (self.restart)(message(&*panic));
                    self.running = Some(next);
                }
            }
        }
    }
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
