//! The queue in front of a task that has a loop of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tormenta_dsl::engine::Batch;

use super::{
    link::{Link, Window},
    queue::{Pool, Receiver, Sender, queue},
};
use crate::{executor::signal::WakeCell, limits};

/// A batch on its way, and the link whose credit it uses.
pub(crate) struct Delivery<T> {
    pub(crate) batch: Batch<T>,
    pub(crate) from: Arc<SenderEnd<T>>,
}

/// What sender and receiver of a link share.
pub(crate) struct SenderEnd<T> {
    pub(crate) link: Link,
    pool: Pool<Batch<T>>,
}

/// The receiving end. Feedback is served first: a loop drains before it takes new work.
pub(crate) struct Mailbox<T> {
    queue: Receiver<Delivery<T>>,
    feedback: Receiver<Delivery<T>>,
    given: Arc<AtomicU64>,
}

/// From which links to a mailbox are made.
pub(crate) struct Address<T> {
    queue: Sender<Delivery<T>>,
    feedback: Sender<Delivery<T>>,
    given: Arc<AtomicU64>,
    wake: Arc<WakeCell>,
}

impl<T> Clone for Address<T> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            feedback: self.feedback.clone(),
            given: self.given.clone(),
            wake: self.wake.clone(),
        }
    }
}

/// A mailbox whose owner is woken through `wake`.
pub(crate) fn mailbox<T>(wake: Arc<WakeCell>) -> (Address<T>, Mailbox<T>) {
    let ((queue_in, queue_out), (feedback_in, feedback_out)) = (queue(), queue());
    let given = Arc::new(AtomicU64::new(0));
    let address = Address { queue: queue_in, feedback: feedback_in, given: given.clone(), wake };
    (address, Mailbox { queue: queue_out, feedback: feedback_out, given })
}

impl<T> Mailbox<T> {
    pub(crate) fn try_recv(&self) -> Option<Delivery<T>> {
        self.feedback.try_recv().or_else(|| self.queue.try_recv())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.feedback.is_empty() && self.queue.is_empty()
    }

    /// Batches that were ever put in.
    pub(crate) fn given(&self) -> Arc<AtomicU64> {
        self.given.clone()
    }
}

/// The sending end of one link.
pub(crate) struct Outbound<T> {
    address: Address<T>,
    end: Arc<SenderEnd<T>>,
    is_feedback: bool,
}

impl<T> Address<T> {
    /// A link from the task that is woken through `sender`.
    pub(crate) fn link(&self, sender: Arc<WakeCell>, is_feedback: bool) -> Outbound<T> {
        let pool = Pool::new(limits::RECYCLED_BATCHES);
        let end = Arc::new(SenderEnd { link: Link::new(sender), pool });
        Outbound { address: self.clone(), end, is_feedback }
    }
}

impl<T> Outbound<T> {
    pub(crate) fn link(&self) -> &Link {
        &self.end.link
    }

    pub(crate) fn is_feedback(&self) -> bool {
        self.is_feedback
    }

    /// An empty batch, with memory where one has come back.
    pub(crate) fn buffer(&self) -> Batch<T> {
        self.end.pool.take()
    }

    /// Sends a batch and wakes its receiver. Uses credit without asking for it.
    pub(crate) fn send(&self, batch: Batch<T>) {
        self.end.link.add_sent(batch.len());
        self.address.given.fetch_add(1, Ordering::SeqCst);
        let delivery = Delivery { batch, from: self.end.clone() };
        let queue = if self.is_feedback { &self.address.feedback } else { &self.address.queue };
        if queue.send(delivery) {
            self.address.wake.wake();
        }
    }
}

impl<T> Delivery<T> {
    /// The batch was worked on: gives back credit and buffer.
    pub(crate) fn consumed(mut self, tuples: usize, window: Window) {
        self.batch.clear();
        self.from.pool.give(std::mem::take(&mut self.batch));
        self.from.link.set_window(window);
        self.from.link.add_consumed(tuples);
    }
}
