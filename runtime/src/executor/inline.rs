//! The lane to a fused stage: its loop is polled by whoever feeds it.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use tormenta_dsl::engine::{Batch, Flush, Lanes, Picks};

use super::{guard::Guarded, inlet::Slot};

/// One lane, to a stage in the same loop.
pub(crate) struct Inline<I> {
    slot: Rc<Slot<I>>,
    stage: Option<Pin<Box<Guarded>>>,
}

impl<I> Inline<I> {
    pub(crate) fn new(slot: Rc<Slot<I>>, stage: Guarded) -> Self {
        Self { slot, stage: Some(Box::pin(stage)) }
    }

    fn is_done(&self) -> bool {
        !self.slot.busy.get() && self.slot.batch.borrow().is_empty()
    }
}

impl<I> Lanes<I> for Inline<I> {
    fn count(&self) -> usize {
        1
    }

    fn backlog(&self, _lane: usize) -> usize {
        self.slot.batch.borrow().len()
    }

    fn is_local(&self, _lane: usize) -> bool {
        true
    }

    fn room(&self) -> usize {
        self.slot.room.get()
    }

    fn accept(&mut self, batch: &mut Batch<I>, picks: Picks<'_>) {
        let mut slot = self.slot.batch.borrow_mut();
        if slot.is_empty() && !matches!(picks, Picks::Pairs(_)) {
            return std::mem::swap(&mut *slot, batch);
        }
        // A grouping of the user's own may have left a tuple out: here it has one task to name.
        let chosen = |index: usize| match picks {
            Picks::Pairs(pairs) => pairs.iter().any(|(tuple, _)| *tuple as usize == index),
            _ => true,
        };
        let anchors = std::mem::take(&mut batch.anchors);
        slot.lower(batch.epoch.as_ref());
        for (index, envelope) in batch.envelopes.drain(..).enumerate() {
            if chosen(index) {
                slot.push_from(&anchors, envelope.root, envelope.edge, envelope.value);
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, flush: Flush) -> Poll<()> {
        self.slot.flush.set(flush);
        if flush == Flush::Full && self.is_done() {
            return Poll::Ready(());
        }
        let Some(stage) = &mut self.stage else { return Poll::Ready(()) };
        if stage.as_mut().poll(cx).is_ready() {
            self.stage = None;
            return Poll::Ready(());
        }
        if self.is_done() { Poll::Ready(()) } else { Poll::Pending }
    }
}
