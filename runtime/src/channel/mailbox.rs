//! The queue in front of a task that has a loop of its own.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tormenta_dsl::engine::Batch;

use super::{
    link::{Link, Queue, Window},
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

impl<T> std::fmt::Debug for SenderEnd<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tuples", self.link.backlog())
    }
}

impl<T: Send> Queue for SenderEnd<T> {
    fn tuples(&self) -> usize {
        self.link.backlog()
    }
}

/// The receiving end. Feedback is served first: a loop drains before it takes new work. But a loop
/// that never drains must not keep new work out for ever.
pub(crate) struct Mailbox<T> {
    queue: Receiver<Delivery<T>>,
    feedback: Receiver<Delivery<T>>,
    /// Batches of feedback since the last other one.
    in_a_row: Cell<usize>,
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
    let (queue, feedback, in_a_row) = (queue_out, feedback_out, Cell::new(0));
    (address, Mailbox { queue, feedback, in_a_row, given })
}

impl<T> Mailbox<T> {
    pub(crate) fn try_recv(&self) -> Option<Delivery<T>> {
        let in_a_row = self.in_a_row.get();
        if in_a_row < limits::FEEDBACK_IN_A_ROW
            && let Some(delivery) = self.feedback.try_recv()
        {
            self.in_a_row.set(in_a_row + 1);
            return Some(delivery);
        }
        self.in_a_row.set(0);
        self.queue.try_recv().or_else(|| self.feedback.try_recv())
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

    /// What is under way on the link.
    pub(crate) fn queue(&self) -> Arc<dyn Queue>
    where
        T: Send + 'static,
    {
        self.end.clone()
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

impl<T> Delivery<T> {
    /// Some of the tuples were worked on, before the others are: gives back their credit.
    pub(crate) fn consumed_some(&self, tuples: usize, window: Window) {
        self.from.link.set_window(window);
        self.from.link.add_consumed(tuples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tormenta_dsl::Root;

    /// Sends batches of one number.
    fn send(outbound: &Outbound<u64>, number: u64) {
        let mut batch = Batch::new();
        batch.push(Root::NONE, 0, number);
        outbound.send(batch);
    }

    #[test]
    fn feedback_goes_first_but_not_for_ever() {
        let (address, mailbox) = mailbox::<u64>(Arc::default());
        let (new, again) =
            (address.link(Arc::default(), false), address.link(Arc::default(), true));
        (0..3).for_each(|n| send(&new, n));
        let rounds = 3 * limits::FEEDBACK_IN_A_ROW;
        let taken: Vec<u64> = (0..rounds + 3)
            .map(|_| {
                send(&again, 1000); // somebody goes on circling
                mailbox.try_recv().expect("there is always something").batch.values[0]
            })
            .collect();
        let (row, before) = (limits::FEEDBACK_IN_A_ROW, taken.iter().position(|n| *n == 0));
        assert_eq!(before, Some(row), "feedback goes first");
        let new: Vec<u64> = taken.into_iter().filter(|n| *n < 1000).collect();
        assert_eq!(new, [0, 1, 2], "one after each row of feedback");
        assert_eq!(again.queue().tuples(), rounds + 3);
    }
}
