//! Which tuples of the batch at hand were lent to a holder.
//!
//! A tuple that came in with an edge of its own need not get another one when it is held: its edge
//! goes to the holder, and the stage does not ack it. Where the batch was emitted in this very
//! loop there are no edges yet; the engine opens the trees of the rest of the batch at once, and
//! acks those that nobody held when the batch is done.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use crate::{Root, engine::Tracker};

/// The loans of one batch.
pub(crate) struct Loan {
    /// The first tuple, if every root comes after the one before; none else.
    first: Cell<Root>,
    len: Cell<usize>,
    /// The edge of the tuple at hand, or of every tuple of the run; zero where none is counted.
    edge: Cell<u64>,
    /// Lent tuples that follow each other: the first, and the one that comes after the last.
    from: Cell<Root>,
    pub(crate) next: Cell<Root>,
    /// The lasting name of `next`; a root that nobody has, where the next loan must be looked at.
    pub(crate) tree: Cell<Root>,
    /// The end of the tuples whose lasting names are known, as `next`.
    pub(crate) end: Cell<Root>,
    /// Tuples that were lent before those.
    lent: RefCell<Vec<Range<usize>>>,
    /// Trees that were opened for the holder: the index of the first tuple, its tree, how many.
    opened: RefCell<Vec<(usize, Root, usize)>>,
    opened_edge: Cell<u64>,
    /// Whether the tuple at hand was lent, where the batch is no run.
    is_lent: Cell<bool>,
    /// Grows with every batch, and with every tuple of a list: with its root it tells a tuple from
    /// all others of its task.
    pub(crate) serial: Cell<u64>,
}

impl Loan {
    pub(crate) fn new() -> Self {
        Self {
            first: Cell::new(Root::NONE),
            len: Cell::new(0),
            edge: Cell::new(0),
            from: Cell::new(Root::NEVER),
            next: Cell::new(Root::NEVER),
            tree: Cell::new(Root::NEVER),
            end: Cell::new(Root::NEVER),
            lent: RefCell::default(),
            opened: RefCell::default(),
            opened_edge: Cell::new(0),
            is_lent: Cell::new(false),
            serial: Cell::new(0),
        }
    }

    /// A batch begins. `run` is its first root and how many follow each other.
    pub(crate) fn begin(&self, run: Option<(Root, usize)>, edge: u64) {
        let (first, len) = run.unwrap_or((Root::NONE, 0));
        self.first.set(first);
        self.len.set(len);
        self.edge.set(edge);
        self.from.set(first);
        self.next.set(first);
        self.tree.set(Root::NEVER);
        self.end.set(if edge > 0 { first.nth_after(len) } else { first });
        self.lent.borrow_mut().clear();
        self.opened.borrow_mut().clear();
        self.is_lent.set(false);
        self.serial.set(self.serial.get() + 1);
    }

    /// The edge of the tuple that is executed next, where the batch is no run.
    pub(crate) fn set_edge(&self, edge: u64) {
        self.edge.set(edge);
        self.serial.set(self.serial.get() + 1);
    }

    /// Whether the tuple at hand was lent, where the batch is no run.
    pub(crate) fn take_is_lent(&self) -> bool {
        self.is_lent.replace(false)
    }

    /// Lends the tuple with this root: gives the name of its tree and the edge to the holder.
    pub(crate) fn lend(&self, root: Root, tracker: &dyn Tracker) -> (Root, u64) {
        if self.first.get().is_none() {
            if self.edge.get() == 0 || self.is_lent.replace(true) {
                return tracker.grow(root);
            }
            return (root, self.edge.get());
        }
        if root < self.next.get() {
            return tracker.grow(root); // it was lent before: this is one more hold
        }
        if self.edge.get() > 0 {
            self.add(root, root);
            return (root, self.edge.get());
        }
        if root >= self.end.get() && !self.open(root, tracker) {
            return tracker.grow(root);
        }
        let index = root.steps_from(self.first.get());
        let opened = self.opened.borrow();
        let tree = opened.last().map_or(root, |(at, tree, _)| tree.nth_after(index - at));
        self.add(root, tree);
        (tree, self.opened_edge.get())
    }

    /// Opens the trees from this one to the end of the batch, or some of them.
    fn open(&self, root: Root, tracker: &dyn Tracker) -> bool {
        let index = root.steps_from(self.first.get());
        let opened = tracker.open(root, self.len.get() - index);
        let Some((tree, count, edge)) = opened else { return false };
        self.opened.borrow_mut().push((index, tree, count));
        self.opened_edge.set(edge);
        self.end.set(root.nth_after(count));
        true
    }

    fn add(&self, root: Root, tree: Root) {
        if root != self.next.get() {
            self.lent.borrow_mut().extend(self.present());
            self.from.set(root);
        }
        self.next.set(root.nth_after(1));
        self.tree.set(tree.nth_after(1));
    }

    /// The tuples that were lent last.
    fn present(&self) -> Option<Range<usize>> {
        let (from, next, first) = (self.from.get(), self.next.get(), self.first.get());
        (from != next).then(|| from.steps_from(first)..next.steps_from(first))
    }

    /// The tuples among these that are not lent.
    pub(crate) fn kept(&self, tuples: Range<usize>, mut each: impl FnMut(Range<usize>)) {
        let mut at = tuples.start;
        let lent = self.lent.borrow();
        for lent in lent.iter().cloned().chain(self.present()) {
            if lent.end <= at || lent.start >= tuples.end {
                continue;
            }
            if lent.start > at {
                each(at..lent.start);
            }
            at = lent.end;
        }
        if at < tuples.end {
            each(at..tuples.end);
        }
    }

    /// Trees that were opened and not lent after all: runs of them.
    pub(crate) fn take_unused(&self, mut each: impl FnMut(Root, usize)) {
        for (at, tree, count) in self.opened.borrow_mut().drain(..) {
            self.kept(at..at + count, |kept| each(tree.nth_after(kept.start - at), kept.len()));
        }
        self.tree.set(Root::NEVER);
    }
}

#[cfg(test)]
#[path = "loan_test.rs"]
mod tests;
