//! Where a stage gets its batches: from a mailbox, or from the stage before it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tormenta_dsl::engine::{Batch, Flush};

use super::crew::{Dealer, Share};
use crate::{
    channel::{
        link::Window,
        mailbox::{Delivery, Mailbox},
    },
    limits,
};

/// The input of a stage.
pub(crate) enum Inlet<I> {
    /// Other loops send to it.
    Mailbox(Mailbox<I>),
    /// Other loops send to a task with several clones, of which this is one.
    Dealt(Rc<Dealer<I>>),
    /// The stage before it, in the same loop, puts batches here and polls.
    Slot(Rc<Slot<I>>),
}

/// The input of a fused stage: room for one batch.
pub(crate) struct Slot<I> {
    pub(crate) batch: RefCell<Batch<I>>,
    /// Whether the stage is at work or has output that it could not get rid of.
    pub(crate) busy: Cell<bool>,
    /// How far the flush goes that the stage is polled for.
    pub(crate) flush: Cell<Flush>,
    /// How much the stage can take at a time.
    pub(crate) room: Cell<usize>,
}

impl<I> Slot<I> {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            batch: RefCell::default(),
            busy: Cell::new(true),
            flush: Cell::new(Flush::Full),
            room: Cell::new(limits::LINK_TUPLES_FIRST),
        })
    }
}

/// A batch being worked on.
pub(crate) struct Work<I> {
    /// What is not begun yet; empty while the loop is at it.
    pub(crate) batch: Batch<I>,
    tuples: usize,
    /// The number of the tuple, where tuples are dealt one by one.
    pub(crate) number: Option<u64>,
    from: Option<Origin<I>>,
}

enum Origin<I> {
    Whole(Delivery<I>),
    Share(Rc<Share<I>>),
}

impl<I: Clone> Inlet<I> {
    pub(crate) fn take(&self) -> Option<Work<I>> {
        match self {
            Self::Mailbox(mailbox) => mailbox.try_recv().map(|mut delivery| {
                let batch = std::mem::take(&mut delivery.batch);
                let from = Some(Origin::Whole(delivery));
                Work { tuples: batch.len(), batch, number: None, from }
            }),
            Self::Dealt(dealer) => dealer.take().map(|dealt| Work {
                tuples: 1,
                batch: dealt.batch,
                number: Some(dealt.number),
                from: Some(Origin::Share(dealt.from)),
            }),
            Self::Slot(slot) => {
                if slot.batch.borrow().is_empty() {
                    return None;
                }
                let batch = slot.batch.take();
                slot.busy.set(true);
                Some(Work { tuples: batch.len(), batch, number: None, from: None })
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Mailbox(mailbox) => mailbox.is_empty(),
            Self::Dealt(dealer) => dealer.is_empty(),
            Self::Slot(slot) => slot.batch.borrow().is_empty(),
        }
    }

    /// Gives back what a batch used: its credit and its buffer. Says how many duties that was.
    pub(crate) fn consumed(&self, work: Work<I>, window: Window) -> u64 {
        let Work { mut batch, tuples, from, .. } = work;
        batch.clear();
        match from {
            Some(Origin::Whole(mut delivery)) => {
                delivery.batch = batch;
                delivery.consumed(tuples, window);
                1
            }
            Some(Origin::Share(share)) => u64::from(share.consumed(window)),
            None => {
                if let Self::Slot(slot) = self {
                    let mut empty = slot.batch.borrow_mut();
                    if empty.is_empty() {
                        *empty = batch;
                    }
                }
                0
            }
        }
    }

    /// How far a flush goes before the stage waits.
    pub(crate) fn flush(&self) -> Flush {
        match self {
            Self::Mailbox(_) | Self::Dealt(_) => Flush::All,
            Self::Slot(slot) => slot.flush.get(),
        }
    }

    /// The stage waits for input; says whether it got rid of its output.
    pub(crate) fn set_idle(&self, flushed: bool, room: usize) {
        if let Self::Slot(slot) = self {
            slot.busy.set(!flushed);
            slot.room.set(room);
        }
    }

    /// The stage does something that is no batch.
    pub(crate) fn set_busy(&self) {
        if let Self::Slot(slot) = self {
            slot.busy.set(true);
        }
    }
}

impl<I> Work<I> {
    /// Number of tuples that the batch had at first.
    pub(crate) fn tuples(&self) -> usize {
        self.tuples
    }
}
