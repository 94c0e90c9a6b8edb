//! What is put out, until it is handed to the edges.

use std::{
    cell::{Cell, RefCell, RefMut},
    marker::PhantomData,
    rc::Rc,
    sync::Arc,
    task::{Context as Waking, Poll},
};

use crate::{
    Emit, Emitter, Epoch, Holds, Result, Root, Streams,
    engine::{Anchors, Batch, Flush, Results, Roots, Settle, Tracker},
    loan::Loan,
    streams::Outlets,
    ticket::{Age, Hold},
};

/// What tells a tuple from all others that a task executes: the serial of its loan, and its root.
type Tuple = (u64, Root);

/// The output of one task as its engine sees it.
pub struct Output<O: Streams> {
    /// The tree of the tuple being executed.
    pub(crate) root: Cell<Root>,
    /// From one root to the next, while a run of them is being executed.
    pub(crate) root_step: Cell<u64>,
    /// Its trees, while `root` says that they are many.
    pub(crate) anchors: RefCell<Vec<Root>>,
    /// Tuples of the batch being executed that a holder has taken over.
    pub(crate) loan: Loan,
    /// The tuple that was held last, and the age of its first ticket.
    held: RefCell<Option<(Tuple, Arc<Age>)>>,
    /// The oldest epoch of anything staged or being executed.
    pub(crate) epoch: RefCell<Option<Epoch>>,
    pub(crate) staged: RefCell<Batch<O>>,
    /// Tuples that are staged at most; follows the room of the edges, up to `staged_limit`.
    pub(crate) staged_max: Cell<usize>,
    pub(crate) staged_limit: usize,
    pub(crate) emitted: Cell<u64>,
    /// Whether what is staged must wait for its turn; the engine polls again when it has come.
    pub(crate) is_closed: Cell<bool>,
    pub(crate) has_waited: Cell<bool>,
    pub(crate) outlets: RefCell<O::Outlets>,
    pub(crate) tracker: Rc<dyn Tracker>,
    pub(crate) settle: Arc<dyn Settle<O>>,
    /// Where the task answers for results.
    pub(crate) results: Option<Rc<dyn Results<O>>>,
    /// Tuples that were being handed on when user code panicked.
    broken: RefCell<Batch<O>>,
    /// Batches to be handed on one tuple at a time, because a panic is near.
    careful: Cell<usize>,
}

/// Batches that are handed on one tuple at a time after a panic. What failed because it was in the
/// same batch comes back soon, if it does, and shall not fail for that again.
const CAREFUL_BATCHES: usize = 64;

impl<O: Streams> Output<O> {
    /// An output that hands on up to `staged_limit` tuples at a time.
    pub fn new(
        outlets: O::Outlets,
        staged_limit: usize,
        tracker: Rc<dyn Tracker>,
        settle: Arc<dyn Settle<O>>,
        results: Option<Rc<dyn Results<O>>>,
    ) -> Rc<Self> {
        Rc::new(Self {
            root: Cell::new(Root::NONE),
            root_step: Cell::new(0),
            anchors: RefCell::default(),
            loan: Loan::new(),
            held: RefCell::default(),
            epoch: RefCell::default(),
            staged: RefCell::default(),
            staged_max: Cell::new(staged_limit.min(outlets.room()).max(1)),
            staged_limit,
            emitted: Cell::new(0),
            is_closed: Cell::new(false),
            has_waited: Cell::new(false),
            outlets: RefCell::new(outlets),
            tracker,
            settle,
            results,
            broken: RefCell::default(),
            careful: Cell::new(0),
        })
    }

    /// An emitter for this output.
    #[must_use]
    pub fn emitter<A>(self: &Rc<Self>) -> Emitter<O, A> {
        Emitter { output: self.clone(), mode: PhantomData }
    }

    /// The tree of the tuple being executed.
    #[must_use]
    #[inline]
    pub fn root(&self) -> Root {
        self.root.get()
    }

    /// What is staged, for an engine that stages many tuples at once.
    pub fn staged_mut(&self) -> RefMut<'_, Batch<O>> {
        self.staged.borrow_mut()
    }

    /// Says which tree the tuple being executed belongs to.
    #[inline]
    pub fn set_root(&self, root: Root) {
        self.root.set(root);
    }

    /// A batch of `len` tuples begins. The first belongs to the tree `first`, and each to the tree
    /// that comes [after](Root::nth_after) that of the one before. Every tuple is this edge of its
    /// tree, zero if it is none.
    pub fn begin_run(&self, first: Root, len: usize, edge: u64) {
        self.root_step.set(first.step());
        self.root.set(first.before(first.step()));
        self.loan.begin(Some((first, len)), edge);
    }

    /// A batch begins whose tuples are told one by one.
    pub fn begin_list(&self) {
        self.loan.begin(None, 0);
    }

    /// Says which edge of its tree the tuple of a list is, zero if it is none.
    #[inline]
    pub fn set_edge(&self, edge: u64) {
        self.loan.set_edge(edge);
    }

    /// Whether a holder took over the edge of the last tuple of a list.
    #[inline]
    pub fn take_is_lent(&self) -> bool {
        self.loan.take_is_lent()
    }

    /// The tuples among these, of a run, whose edges no holder took over.
    pub fn kept(&self, tuples: std::ops::Range<usize>, each: impl FnMut(std::ops::Range<usize>)) {
        self.loan.kept(tuples, each);
    }

    /// Trees that were opened for a holder who did not take them: the first and the number of
    /// each run. To be called when the batch has been executed.
    pub fn take_unused(&self, each: impl FnMut(Root, usize)) {
        self.loan.take_unused(each);
    }

    /// Takes note of a ticket of the tuple being executed.
    pub(crate) fn note_hold(&self, hold: &mut Hold) {
        let tuple = (self.loan.serial.get(), self.root.get());
        let mut held = self.held.borrow_mut();
        match &*held {
            Some((same, age)) if *same == tuple => hold.first = Some(age.clone()),
            _ => *held = Some((tuple, hold.age.clone())),
        }
    }

    /// The tuple being executed counts as failed. False if it did before, because a ticket of it
    /// has failed.
    #[must_use]
    pub fn count_failure(&self) -> bool {
        let tuple = (self.loan.serial.get(), self.root.get());
        match &*self.held.borrow() {
            Some((same, age)) if *same == tuple && !tuple.1.is_none() => age.count_failure(),
            _ => true,
        }
    }

    /// Goes on to the next tree, see [`begin_run`](Output::begin_run).
    #[inline(always)]
    pub fn set_next_root(&self) {
        self.root.set(self.root.get().plus(self.root_step.get()));
    }

    /// Says which trees the tuple being executed belongs to.
    pub fn set_anchors(&self, roots: impl Iterator<Item = Root>, replayed: bool) {
        let mut anchors = self.anchors.borrow_mut();
        anchors.clear();
        anchors.extend(roots);
        self.root.set(Root::many(0, replayed));
    }

    /// Takes note that something this old is being executed.
    pub fn lower(&self, epoch: Option<&Epoch>) {
        if let Some(epoch) = epoch {
            Epoch::lower(&mut self.epoch.borrow_mut(), epoch);
        }
    }

    /// The oldest epoch of anything staged or being executed.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch.borrow().clone()
    }

    /// Forgets the epoch: nothing is staged and nothing is being executed.
    pub fn forget_epoch(&self) {
        *self.epoch.borrow_mut() = None;
    }

    /// Tuples emitted so far.
    #[must_use]
    pub fn emitted(&self) -> u64 {
        self.emitted.get() + self.staged.borrow().len() as u64
    }

    #[inline(always)]
    pub(crate) fn emit(&self, root: Root, direct: u64, value: O) -> Emit<'_, O> {
        if root.is_many() {
            return self.emit_for_many(root, direct, value);
        }
        let mut staged = self.staged.borrow_mut();
        staged.push(root, direct, value);
        let full = staged.len() >= self.staged_max.get();
        Emit(full.then_some(self))
    }

    #[cold]
    #[inline(never)]
    fn emit_for_many(&self, root: Root, direct: u64, value: O) -> Emit<'_, O> {
        self.stage(root, direct, value);
        Emit::when_full(self)
    }

    /// Stages a tuple with a tree of the engine's choice.
    pub fn stage(&self, root: Root, direct: u64, value: O) {
        let root = if root.is_many() { self.stage_anchors() } else { root };
        self.staged.borrow_mut().push(root, direct, value);
    }

    /// Stages a tuple that is anchored to several held tuples.
    pub fn stage_for(&self, anchors: Vec<Root>, value: O) {
        match anchors[..] {
            [] => self.stage(Root::NONE, 0, value),
            [root] => self.stage(root, 0, value),
            _ => {
                let replayed = anchors.iter().any(|root| root.is_replayed());
                // The tuple being executed may have many anchors of its own.
                let root = self.root.replace(Root::many(0, replayed));
                let current = self.anchors.replace(anchors);
                self.stage(self.root.get(), 0, value);
                self.anchors.replace(current);
                self.root.set(root);
            }
        }
    }

    fn stage_anchors(&self) -> Root {
        let anchors = self.anchors.borrow().iter().map(|root| (*root, 0)).collect();
        let mut staged = self.staged.borrow_mut();
        staged.anchors.push(anchors);
        Root::many(staged.anchors.len() - 1, self.root.get().is_replayed())
    }

    /// Where the tuple is no neighbour of what the set had last.
    #[inline(never)]
    pub(crate) fn hold_into(&self, root: Root, holds: &mut Holds<O>) {
        if holds.is_new() {
            holds.begin(self.settle.clone());
            holds.ages.extend(self.tracker.begin_set());
        }
        holds.lower(self.epoch.borrow().as_ref());
        if root.is_many() {
            let anchors = self.anchors.borrow();
            let grown: Vec<_> = anchors.iter().map(|root| self.tracker.grow(*root)).collect();
            self.age(holds, &grown);
            return holds.push_many(grown.into_iter());
        }
        let (tree, edge) = self.loan.lend(root, &*self.tracker);
        holds.push(tree, edge);
        self.age(holds, &[(tree, edge)]);
    }

    /// Lets the engine know what the set holds, if it may expire.
    fn age(&self, holds: &Holds<O>, edges: &[(Root, u64)]) {
        if let Some(age) = holds.ages.first() {
            edges.iter().for_each(|(root, _)| self.tracker.add_to_set(age, *root));
            self.loan.tree.set(Root::NEVER); // so that it hears of each
        }
    }

    /// Whether the stage is full.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.staged.borrow().len() >= self.staged_max.get()
    }

    /// Keeps what is staged from being handed on by emits, because its turn has not come. Whoever
    /// closes the output polls the emitting component when it opens it.
    pub fn set_closed(&self, is_closed: bool) {
        self.is_closed.set(is_closed);
    }

    /// Waits until there is room, and its turn has come. Once a batch, and kept apart so that what
    /// surrounds the other emits stays small enough to be inlined.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll_emit(&self, cx: &mut Waking<'_>) -> Poll<Result> {
        let flushed =
            if self.is_closed.get() { Poll::Pending } else { self.poll_flush(cx, Flush::Full) };
        self.has_waited.set(flushed.is_pending());
        flushed.map(Ok)
    }

    /// Whether an emit had to wait for its readers since this was last asked.
    pub fn take_has_waited(&self) -> bool {
        self.has_waited.take()
    }

    /// Hands on what is staged and flushes the edges.
    pub fn poll_flush(&self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        self.dispatch();
        let mut outlets = self.outlets.borrow_mut();
        let flushed = outlets.poll_flush(cx, flush);
        if flushed.is_pending() && flush == Flush::Full {
            let _ = outlets.poll_flush(cx, Flush::All); // the task waits: what can leave leaves
        }
        self.staged_max.set(outlets.room().clamp(1, self.staged_limit));
        flushed
    }

    /// How many tuples are handed on at a time, as things stand.
    #[must_use]
    pub fn room(&self) -> usize {
        self.staged_max.get()
    }

    /// Takes what is staged, instead of handing it on. For test kits.
    pub fn take_staged(&self) -> Batch<O> {
        self.staged.take()
    }

    /// Hands what is staged to the edges, without shipping anything. This runs code of users: keys,
    /// groupings, clones. What they panic at is to be failed, see
    /// [`take_broken`](Output::take_broken).
    pub fn dispatch(&self) {
        if self.staged.borrow().is_empty() {
            return;
        }
        let mut batch = self.staged.take();
        batch.epoch.clone_from(&self.epoch.borrow());
        self.emitted.set(self.emitted.get() + batch.len() as u64);
        if self.careful.get() == 0 {
            let mut dispatch = Dispatch { output: self, batch, rest: Rest::default() };
            dispatch.hand_on();
            self.staged.replace(std::mem::take(&mut dispatch.batch)); // empty, but for its memory
            return;
        }
        self.careful.set(self.careful.get() - 1);
        let mut dispatch = Dispatch { output: self, batch: Batch::new(), rest: Rest::of(batch) };
        while dispatch.rest.next_into(&mut dispatch.batch) {
            dispatch.hand_on();
        }
    }

    /// Hands on what is staged, the last tuple by itself: to all readers of its stream, or `only`
    /// to the task of this [number](crate::Plan::number_of), which must read it by a direct
    /// grouping; its trees fail if it does not. Adds the numbers of the tasks that got it to
    /// `told`.
    ///
    /// The other tuples are handed on as by [`dispatch`](Output::dispatch). Where that panics, the
    /// last one is [broken](Output::take_broken) as well.
    pub fn dispatch_last(&self, only: Option<usize>, told: &mut Vec<usize>) {
        let Some(port) = self.staged.borrow().values.last().map(Streams::port) else { return };
        if self.staged.borrow().len() > 1 {
            let mut waiting = Waiting { output: self, batch: self.unstage_last() };
            self.dispatch();
            self.staged.borrow_mut().append(&mut waiting.batch);
        }
        if let Some(task) = only {
            self.outlets.borrow_mut().aim(port, task);
        }
        self.dispatch();
        self.outlets.borrow().told(port, told);
    }

    fn unstage_last(&self) -> Batch<O> {
        let (mut staged, mut last) = (self.staged.borrow_mut(), Batch::new());
        if let Some(value) = staged.values.pop() {
            let begin = staged.values.len();
            let (root, edge) = staged.roots.split_off(begin).get(0);
            last.push_from(&staged.anchors, root, edge, value);
        }
        last
    }

    /// Tuples that were being handed on when a key or a grouping panicked. Some readers may have
    /// got them; whoever catches the panic fails their trees.
    pub fn take_broken(&self) -> Batch<O> {
        self.broken.take()
    }
}

/// A tuple whose turn comes when those before it were handed on. If that panics it breaks with
/// them: what was to become of it nobody would know any more.
struct Waiting<'a, O: Streams> {
    output: &'a Output<O>,
    batch: Batch<O>,
}

impl<O: Streams> Drop for Waiting<'_, O> {
    fn drop(&mut self) {
        if !self.batch.is_empty() {
            self.output.emitted.set(self.output.emitted.get() + 1);
            self.output.broken.borrow_mut().append(&mut self.batch);
        }
    }
}

/// A batch that is being handed on. Where user code panics, it is broken, and the rest stays.
struct Dispatch<'a, O: Streams> {
    output: &'a Output<O>,
    batch: Batch<O>,
    rest: Rest<O>,
}

impl<O: Streams> Dispatch<'_, O> {
    fn hand_on(&mut self) {
        O::dispatch(&mut self.batch, &mut self.output.outlets.borrow_mut());
        self.batch.clear();
    }
}

impl<O: Streams> Drop for Dispatch<'_, O> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let (output, rest) = (self.output, std::mem::take(&mut self.rest).into_batch());
        output.careful.set(CAREFUL_BATCHES);
        output.emitted.set(output.emitted.get() - rest.len() as u64);
        output.broken.replace(std::mem::take(&mut self.batch));
        output.staged.replace(rest);
    }
}

/// What is left of a batch that is handed on one tuple at a time.
struct Rest<O> {
    values: std::vec::IntoIter<O>,
    /// Those of the whole batch.
    roots: Roots,
    anchors: Vec<Anchors>,
    epoch: Option<Epoch>,
}

impl<O> Default for Rest<O> {
    fn default() -> Self {
        Self::of(Batch::new())
    }
}

impl<O> Rest<O> {
    fn of(batch: Batch<O>) -> Self {
        let Batch { values, roots, anchors, epoch } = batch;
        Self { values: values.into_iter(), roots, anchors, epoch }
    }

    fn begun(&self) -> usize {
        self.roots.len() - self.values.len()
    }

    /// Moves the next tuple into a batch of its own. False if there is none.
    fn next_into(&mut self, one: &mut Batch<O>) -> bool {
        let index = self.begun();
        let Some(value) = self.values.next() else { return false };
        let (root, edge) = self.roots.get(index);
        one.epoch.clone_from(&self.epoch);
        one.push_from(&self.anchors, root, edge, value);
        true
    }

    fn into_batch(mut self) -> Batch<O> {
        let roots = self.roots.split_off(self.begun());
        Batch { values: self.values.collect(), roots, anchors: self.anchors, epoch: self.epoch }
    }
}
