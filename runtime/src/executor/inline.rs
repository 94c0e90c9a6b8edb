//! The lane to a fused stage: its loop is polled by whoever feeds it.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use tormenta_dsl::{
    Failure, Root,
    engine::{Anchors, Batch, Flush, Lanes, Picks},
};

use super::{guard::Guarded, inlet::Slot, shared::LoopShared};
use crate::{metrics::task::TaskStats, planted};

/// One lane, to a stage in the same loop.
pub(crate) struct Inline<I> {
    slot: Rc<Slot<I>>,
    stage: Option<Pin<Box<Guarded>>>,
    /// Those of the task that sends.
    stats: Arc<TaskStats>,
    shared: Rc<LoopShared>,
    /// Number of the task that reads.
    number: usize,
}

impl<I> Inline<I> {
    pub(crate) fn new(
        slot: Rc<Slot<I>>,
        stage: Guarded,
        stats: Arc<TaskStats>,
        shared: Rc<LoopShared>,
        number: usize,
    ) -> Self {
        Self { slot, stage: Some(Box::pin(stage)), stats, shared, number }
    }

    /// The stage has stopped, because the topology is cut off: what it was sent has failed. There
    /// are no edges between fused stages that would stay open.
    #[cold]
    fn refuse(&self) {
        let batch = self.slot.batch.take();
        if planted!(StoppedStageAcks) {
            return;
        }
        self.shared.fail_batch(&batch, &Failure::Stopped);
    }

    fn is_done(&self) -> bool {
        !self.slot.busy.get() && self.slot.batch.borrow().is_empty()
    }
}

impl<I: Clone> Lanes<I> for Inline<I> {
    fn count(&self) -> usize {
        1
    }

    fn window(&self, _lane: usize) -> usize {
        usize::MAX
    }

    fn pace(&self, _lane: usize) -> usize {
        usize::MAX
    }

    fn backlog(&self, _lane: usize) -> usize {
        self.slot.batch.borrow().len()
    }

    fn is_local(&self, _lane: usize) -> bool {
        true
    }

    fn number(&self, _lane: usize) -> usize {
        self.number
    }

    fn room(&self) -> usize {
        self.slot.room.get()
    }

    fn accept(&mut self, batch: &mut Batch<I>, picks: Picks<'_>) {
        let mut slot = self.slot.batch.borrow_mut();
        if let Picks::Pairs(pairs) = picks {
            // A grouping of the user's own may leave a tuple out, or choose the one task twice.
            self.stats.transferred.add(pairs.len() as u64);
            if !pairs.is_empty() {
                slot.lower(batch.epoch.as_ref());
            }
            for (tuple, _) in pairs {
                let tuple = *tuple as usize;
                let (root, edge) = batch.roots.get(tuple);
                slot.push_from(&batch.anchors, root, edge, batch.values[tuple].clone());
            }
            return batch.clear();
        }
        self.stats.transferred.add(batch.len() as u64);
        if slot.is_empty() {
            return std::mem::swap(&mut *slot, batch);
        }
        slot.append(batch);
    }

    fn fail(&mut self, anchors: &[Anchors], root: Root, why: &str) {
        let why = Failure::Error(self.stats.place.clone(), why.to_owned());
        self.shared.fail_roots(anchors, root, &why);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, flush: Flush) -> Poll<()> {
        self.slot.flush.set(flush);
        if flush == Flush::Full && self.is_done() {
            return Poll::Ready(());
        }
        let stage = self.stage.as_mut();
        if stage.is_none_or(|stage| stage.as_mut().poll(cx).is_ready()) {
            self.stage = None;
            self.refuse();
            return Poll::Ready(());
        }
        if self.is_done() { Poll::Ready(()) } else { Poll::Pending }
    }
}
