//! The lanes to tasks in other loops: edge ids, credit, and batches that fill up.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use tormenta_dsl::{
    Failure, KeyGroup, Root,
    engine::{Anchors, Batch, Flush, Lanes, Picks},
};

use super::shared::LoopShared;
use crate::{
    acker::acks::Acks,
    channel::{link::Queue, mailbox::Outbound},
    metrics::{keys::KeySamples, task::TaskStats},
    planted,
};

/// The sending end towards one task: a batch that is filling up, and the link behind it.
pub(crate) struct Lane<I> {
    filling: Batch<I>,
    outbound: Outbound<I>,
}

impl<I> Lane<I> {
    /// What is under way to the task.
    pub(crate) fn queue(&self) -> Arc<dyn Queue>
    where
        I: Send + 'static,
    {
        self.outbound.queue()
    }

    pub(crate) fn new(outbound: Outbound<I>) -> Self {
        Self { filling: Batch::new(), outbound }
    }

    /// Tuples at which the batch is shipped without anybody waiting: fewer for a slow reader.
    fn full_at(&self, batch_tuples: usize) -> usize {
        batch_tuples.min(self.outbound.link().window()).max(1)
    }

    /// Whether there is anything whose age matters.
    fn has_tuples(&self) -> bool {
        !self.filling.is_empty() || planted!(IdleEpoch)
    }

    /// Whether a feedback lane has no room, so that the tuple must fail.
    fn overflows(&self) -> bool {
        self.outbound.is_feedback()
            && self.filling.len() + self.outbound.link().backlog() >= feedback_tuples_max()
    }

    /// Ships what credit allows. Pending if more is left than the flush permits.
    fn poll_ship(&mut self, flush: Flush, batch_tuples: usize) -> Poll<()> {
        loop {
            let waiting = self.filling.len();
            let full_at = self.full_at(batch_tuples);
            if waiting == 0 || (flush == Flush::Full && waiting < full_at) {
                return Poll::Ready(());
            }
            let link = self.outbound.link();
            let is_free = self.outbound.is_feedback() || planted!(CreditIgnored);
            let credit = if is_free { usize::MAX } else { link.credit() };
            if credit > 0 {
                self.ship(waiting.min(credit));
            } else if link.wait_for_credit() {
                return Poll::Pending;
            }
        }
    }

    fn ship(&mut self, tuples: usize) {
        let mut full = std::mem::replace(&mut self.filling, self.outbound.buffer());
        if tuples < full.len() {
            self.filling.epoch.clone_from(&full.epoch);
            let values = full.values.split_off(tuples);
            let roots = full.roots.split_off(tuples);
            for ((root, edge), value) in roots.iter().zip(values) {
                self.filling.push_from(&full.anchors, root, edge, value);
            }
        }
        if planted!(EpochDropped) {
            full.epoch = None;
        }
        if planted!(Overtaking, 50) {
            full.values.reverse();
            let reversed: Vec<_> = full.roots.iter().rev().collect();
            full.roots.clear();
            reversed.into_iter().for_each(|(root, edge)| full.roots.push(root, edge));
        }
        #[cfg(feature = "planted-bugs")]
        if crate::faults::loses_batch() {
            return;
        }
        self.outbound.send(full);
    }
}

#[cfg(not(feature = "planted-bugs"))]
fn feedback_tuples_max() -> usize {
    crate::limits::FEEDBACK_TUPLES_MAX
}

#[cfg(feature = "planted-bugs")]
use crate::faults::feedback_tuples_max;

/// The lanes of one edge. Edges between the same two components share them, so that tuples of
/// different streams keep their order.
pub(crate) struct Handover<I> {
    lanes: Rc<RefCell<Vec<Lane<I>>>>,
    shared: Rc<LoopShared>,
    stats: Arc<TaskStats>,
    /// Samples of the keys that are sent to the target.
    keys: Arc<KeySamples>,
    /// Number of the target's first task.
    first: usize,
}

impl<I: Clone> Handover<I> {
    pub(crate) fn new(
        lanes: Rc<RefCell<Vec<Lane<I>>>>,
        shared: Rc<LoopShared>,
        stats: Arc<TaskStats>,
        keys: Arc<KeySamples>,
        first: usize,
    ) -> Self {
        Self { lanes, shared, stats, keys, first }
    }

    /// Puts one tuple into a lane, as an edge of its own in each of its trees.
    #[inline(always)]
    fn put(&self, acks: &mut Acks, lane: &mut Lane<I>, anchors: &[Anchors], root: Root, value: I) {
        if lane.overflows() {
            return self.overflow(acks, anchors, root);
        }
        let (root, edge) = if root.is_none() {
            (root, 0)
        } else if root.is_many() {
            grow_many(acks, &mut lane.filling, &anchors[root.index()], root.is_replayed())
        } else {
            acks.grow(root)
        };
        lane.filling.push(root, edge, value);
    }

    #[cold]
    fn overflow(&self, acks: &mut Acks, anchors: &[Anchors], root: Root) {
        if planted!(OverflowSilent) {
            return;
        }
        let why = Failure::Overflow(self.stats.place.clone());
        if root.is_many() {
            for (root, _) in &anchors[root.index()] {
                acks.fail(*root, why.clone(), None);
            }
        } else {
            acks.fail(root, why, None);
        }
    }

    fn put_all(&self, batch: &mut Batch<I>, lane: usize) {
        let mut acks = self.shared.acks.borrow_mut();
        let lane = &mut self.lanes.borrow_mut()[lane];
        if !lane.outbound.is_feedback() && acks.open_batch(&mut batch.roots) {
            return lane.filling.append(batch);
        }
        lane.filling.values.reserve(batch.len());
        batch.take_each(|anchors, root, _, value| self.put(&mut acks, lane, anchors, root, value));
    }

    fn put_each(&self, batch: &mut Batch<I>, picks: &[u32]) {
        let mut acks = self.shared.acks.borrow_mut();
        let mut lanes = self.lanes.borrow_mut();
        let count = lanes.len();
        let mut picks = picks.iter();
        let is_feedback = lanes.iter().any(|lane| lane.outbound.is_feedback());
        let are_open = !is_feedback && acks.open_batch(&mut batch.roots);
        batch.take_each(|anchors, root, edge, value| {
            let Some(pick) = picks.next() else { return };
            let mut pick = *pick as usize;
            if planted!(WrongLane, 1000) {
                pick = (pick + 1) % count;
            }
            if are_open {
                return lanes[pick].filling.push(root, edge, value);
            }
            self.put(&mut acks, &mut lanes[pick], anchors, root, value);
        });
    }

    fn put_pairs(&self, batch: &mut Batch<I>, pairs: impl Iterator<Item = (usize, usize)>) -> u64 {
        let mut acks = self.shared.acks.borrow_mut();
        let mut lanes = self.lanes.borrow_mut();
        let mut copies = 0;
        for (tuple, lane) in pairs {
            let ((root, _), value) = (batch.roots.get(tuple), batch.values[tuple].clone());
            self.put(&mut acks, &mut lanes[lane], &batch.anchors, root, value);
            copies += 1;
        }
        batch.clear();
        copies
    }
}

/// One edge id for each anchor: with a single id, two anchors in the same tree would cancel out.
fn grow_many<I>(
    acks: &mut Acks,
    filling: &mut Batch<I>,
    anchors: &Anchors,
    replayed: bool,
) -> (Root, u64) {
    let one_id = acks.grow(anchors[0].0);
    let rest = anchors.iter().skip(1).map(|(root, _)| {
        if planted!(OneIdForTwoAnchors) && !root.is_provisional() {
            acks.grow_by(*root, one_id.1);
            return (*root, one_id.1);
        }
        acks.grow(*root)
    });
    let edges: Anchors = std::iter::once(one_id).chain(rest).collect();
    filling.anchors.push(edges);
    (Root::many(filling.anchors.len() - 1, replayed), 0)
}

impl<I: Clone> Lanes<I> for Handover<I> {
    fn count(&self) -> usize {
        self.lanes.borrow().len()
    }

    fn window(&self, lane: usize) -> usize {
        self.lanes.borrow()[lane].outbound.link().window()
    }

    fn pace(&self, lane: usize) -> usize {
        self.lanes.borrow()[lane].outbound.link().pace()
    }

    fn backlog(&self, lane: usize) -> usize {
        let lane = &self.lanes.borrow()[lane];
        lane.filling.len() + lane.outbound.link().backlog()
    }

    fn is_local(&self, _lane: usize) -> bool {
        true
    }

    fn number(&self, lane: usize) -> usize {
        self.first + lane
    }

    fn room(&self) -> usize {
        let lanes = self.lanes.borrow();
        // The lanes of an edge are all feedback or none is. Feedback waits for nobody.
        if lanes.iter().all(|lane| lane.outbound.is_feedback()) {
            return usize::MAX;
        }
        lanes.iter().map(|lane| lane.outbound.link().window()).sum::<usize>().max(1)
    }

    fn sample(&mut self, group: KeyGroup, tuples: usize) {
        self.keys.add(group, tuples);
    }

    fn accept(&mut self, batch: &mut Batch<I>, picks: Picks<'_>) {
        let epoch = batch.epoch.take();
        let tuples = batch.len() as u64;
        let sent = match picks {
            Picks::One(lane) => {
                self.put_all(batch, lane);
                tuples
            }
            Picks::Each(picks) => {
                self.put_each(batch, picks);
                tuples
            }
            Picks::Pairs(pairs) => {
                let pairs = pairs.iter().map(|(tuple, lane)| (*tuple as usize, *lane as usize));
                self.put_pairs(batch, pairs)
            }
            Picks::All => {
                let (tuples, lanes) = (batch.len(), self.count());
                let pairs = (0..tuples).flat_map(|tuple| (0..lanes).map(move |lane| (tuple, lane)));
                self.put_pairs(batch, pairs)
            }
        };
        for lane in self.lanes.borrow_mut().iter_mut().filter(|lane| lane.has_tuples()) {
            lane.filling.lower(epoch.as_ref());
        }
        self.stats.transferred.add(sent);
    }

    fn fail(&mut self, anchors: &[Anchors], root: Root, why: &str) {
        let why = Failure::Error(self.stats.place.clone(), why.to_owned());
        self.shared.fail_roots(anchors, root, &why);
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>, flush: Flush) -> Poll<()> {
        if flush == Flush::All && planted!(LostFlush) {
            return Poll::Ready(());
        }
        let batch_tuples = self.shared.engine.batch_tuples;
        if self.shared.engine.control.are_bolts_stopped() {
            // Nobody will read it: what is under way when a topology is cut off fails.
            self.lanes.borrow_mut().iter_mut().for_each(|lane| lane.filling.clear());
        }
        let mut all = Poll::Ready(());
        for lane in self.lanes.borrow_mut().iter_mut() {
            if lane.poll_ship(flush, batch_tuples).is_pending() {
                all = Poll::Pending;
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        channel::mailbox::mailbox,
        clock::{Clock, Timers},
        engine::{Setup, build},
        limits,
        rng::Rng,
        testkit::Feed,
    };

    fn room(is_feedback: bool) -> usize {
        let mut t = crate::Topology::new("t");
        t.spout("numbers", Feed::<u64>::new().spout());
        let built = build(t, Setup::new(Clock::simulated(), 1, 1)).expect("a sound topology");
        let engine = &built.handle.shared;
        let timers = Timers::new(engine.clock.clone(), Arc::default());
        let shared = LoopShared::new(engine.clone(), timers, Arc::default(), Rng::new(1));
        let (address, _mailbox) = mailbox::<u64>(Arc::default());
        let lane = Lane::new(address.link(Arc::default(), is_feedback));
        let stats = engine.tasks[0].clone();
        let keys = stats.keys.clone();
        Handover::new(Rc::new(RefCell::new(vec![lane])), shared, stats, keys, 0).room()
    }

    #[test]
    fn feedback_does_not_make_batches_small() {
        assert_eq!(room(true), usize::MAX, "it has no window");
        assert_eq!(room(false), limits::LINK_TUPLES_FIRST);
    }
}
