//! Several clones of a bolt that work for one task, on tuples dealt to them one by one.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Poll, Waker},
};

use tormenta_dsl::{Epoch, engine::Batch};

use super::guard::Guarded;
use crate::channel::{
    link::Window,
    mailbox::{Delivery, Mailbox},
};

/// What the clones of one task share. Most tasks have a crew of one.
pub(crate) struct Crew {
    /// Clones that have not finished, and that have not stopped.
    unfinished: Cell<usize>,
    running: Cell<usize>,
    /// The tuple whose outputs may leave now, where their order matters.
    turn: Option<Cell<u64>>,
    /// Wakes the loop when the turn is passed and somebody waits for it.
    waiting: RefCell<Option<Waker>>,
}

impl Crew {
    pub(crate) fn new(size: usize, ordered: bool) -> Rc<Self> {
        let turn = ordered.then(|| Cell::new(0));
        let (unfinished, running) = (Cell::new(size), Cell::new(size));
        Rc::new(Self { unfinished, running, turn, waiting: RefCell::default() })
    }

    /// One clone has finished. Whether it was the last.
    pub(crate) fn finish_one(&self) -> bool {
        self.unfinished.set(self.unfinished.get() - 1);
        self.unfinished.get() == 0
    }

    /// One clone has stopped. Whether it was the last.
    pub(crate) fn stop_one(&self) -> bool {
        self.running.set(self.running.get() - 1);
        self.running.get() == 0
    }

    /// Whether the outputs of this tuple may leave.
    pub(crate) fn is_turn(&self, number: Option<u64>) -> bool {
        match (&self.turn, number) {
            (Some(turn), Some(number)) => turn.get() == number,
            _ => true,
        }
    }

    /// The outputs of this tuple have left.
    pub(crate) fn pass_turn(&self, number: Option<u64>) {
        if let (Some(turn), Some(number)) = (&self.turn, number) {
            turn.set(number + 1);
            if let Some(waiting) = self.waiting.take() {
                waiting.wake();
            }
        }
    }

    /// Wakes the loop when the turn is passed.
    pub(crate) fn wait_for_turn(&self, waker: &Waker) {
        *self.waiting.borrow_mut() = Some(waker.clone());
    }
}

/// Deals the tuples of a mailbox, one at a time.
pub(crate) struct Dealer<I> {
    pub(crate) mailbox: Mailbox<I>,
    dealt: RefCell<VecDeque<Dealt<I>>>,
    next: Cell<u64>,
}

/// One tuple, and the delivery it came in.
pub(crate) struct Dealt<I> {
    pub(crate) batch: Batch<I>,
    pub(crate) number: u64,
    pub(crate) from: Rc<Share<I>>,
}

/// A delivery that several clones work on.
pub(crate) struct Share<I> {
    delivery: RefCell<Option<Delivery<I>>>,
    left: Cell<usize>,
}

impl<I: Clone> Dealer<I> {
    pub(crate) fn new(mailbox: Mailbox<I>) -> Rc<Self> {
        Rc::new(Self { mailbox, dealt: RefCell::default(), next: Cell::new(0) })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.dealt.borrow().is_empty() && self.mailbox.is_empty()
    }

    pub(crate) fn take(&self) -> Option<Dealt<I>> {
        let mut dealt = self.dealt.borrow_mut();
        if dealt.is_empty() {
            let delivery = self.mailbox.try_recv()?;
            self.deal(delivery, &mut dealt);
        }
        dealt.pop_front()
    }

    fn deal(&self, mut delivery: Delivery<I>, dealt: &mut VecDeque<Dealt<I>>) {
        let mut batch = std::mem::take(&mut delivery.batch);
        let (tuples, epoch): (usize, Option<Epoch>) = (batch.len(), batch.epoch.take());
        let share = Rc::new(Share { left: Cell::new(tuples), delivery: RefCell::new(None) });
        batch.take_each(|anchors, root, edge, value| {
            let mut one = Batch::new();
            one.epoch.clone_from(&epoch);
            one.push_from(anchors, root, edge, value);
            let number = self.next.get();
            self.next.set(number + 1);
            dealt.push_back(Dealt { batch: one, number, from: share.clone() });
        });
        delivery.batch = batch;
        *share.delivery.borrow_mut() = Some(delivery);
    }
}

impl<I> Share<I> {
    /// One tuple was worked on, and gives back its credit, so that a clone that is free need not
    /// wait for what others of the same delivery are at. The last one gives back the buffer; true
    /// then.
    pub(crate) fn consumed(&self, window: Window) -> bool {
        self.left.set(self.left.get() - 1);
        if self.left.get() > 0 {
            if let Some(delivery) = &*self.delivery.borrow() {
                delivery.consumed_some(1, window);
            }
            return false;
        }
        if let Some(delivery) = self.delivery.take() {
            delivery.consumed(1, window);
        }
        true
    }
}

/// One loop of all clones.
pub(crate) fn together(clones: Vec<Guarded>) -> Guarded {
    let mut clones: Vec<Option<Pin<Box<Guarded>>>> =
        clones.into_iter().map(|clone| Some(Box::pin(clone))).collect();
    let all = poll_fn(move |cx| {
        for clone in &mut clones {
            if clone.as_mut().is_some_and(|running| running.as_mut().poll(cx).is_ready()) {
                *clone = None;
            }
        }
        if clones.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    });
    // Each clone is guarded by itself; there is nothing in between that could panic.
    Guarded::new(Box::pin(all), |_| Box::pin(async {}))
}
