//! Where a component puts its output.

use std::{
    cell::{Cell, RefCell, RefMut},
    future::Future,
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context as Waking, Poll},
};

use crate::{
    Epoch, Holds, Result, Root, Streams, Ticket,
    engine::{Batch, Flush, Settle, Tracker},
    loan::Loan,
    streams::Outlets,
};

/// Inside `execute`: what is emitted is anchored to the tuple being executed.
#[derive(Debug)]
pub enum Anchored {}

/// Inside `tick` and `finish`: there is no current tuple, so every emit says what it is anchored
/// to, or that it is anchored to nothing.
#[derive(Debug)]
pub enum Free {}

/// The output of one task.
///
/// `emit` anchors to the tuple that is being executed; nothing else is needed for at-least-once.
///
/// ```
/// use tormenta_dsl::{Bolt, Emitter, Result};
///
/// #[derive(Clone)]
/// struct Halve;
///
/// impl Bolt for Halve {
///     type Input = u64;
///     type Output = u64;
///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
///         if n % 2 == 0 {
///             out.emit(n / 2).await?;
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct Emitter<O: Streams, A = Anchored> {
    output: Rc<Output<O>>,
    mode: PhantomData<A>,
}

impl<O: Streams> Emitter<O> {
    /// Emits a tuple anchored to the one being executed. Waits while the reader is full.
    ///
    /// # Errors
    /// None today; an engine may refuse output when it is being stopped.
    #[inline]
    pub fn emit(&self, value: O) -> Emit<'_, O> {
        self.output.emit(self.output.root.get(), 0, value)
    }

    /// Emits a tuple to one task of the readers that grouped this stream with `direct()`.
    ///
    /// # Errors
    /// As [`emit`](Emitter::emit).
    pub fn emit_direct(&self, task: usize, value: O) -> Emit<'_, O> {
        self.output.emit(self.output.root.get(), task as u64, value)
    }

    /// Holds the tuple being executed: its tree stays open until the ticket is settled.
    ///
    /// A hold is one more edge of the tree, to yourself. Dropping the ticket fails the tuple.
    ///
    /// ```
    /// use tormenta_dsl::{Bolt, Emitter, Free, Result, Ticket};
    ///
    /// /// Emits the sum of what came in since the last tick.
    /// #[derive(Default)]
    /// struct Sum { sum: u64, held: Vec<Ticket<u64>> }
    /// # impl Clone for Sum { fn clone(&self) -> Self { Self::default() } }
    ///
    /// impl Bolt for Sum {
    ///     type Input = u64;
    ///     type Output = u64;
    ///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
    ///         self.sum += n;
    ///         self.held.push(out.hold());
    ///         Ok(())
    ///     }
    ///     async fn tick(&mut self, out: &Emitter<u64, Free>) -> Result {
    ///         out.emit_for(&self.held, std::mem::take(&mut self.sum)).await?;
    ///         self.held.drain(..).for_each(Ticket::ack);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn hold(&self) -> Ticket<O> {
        let output = &self.output;
        let root = output.root.get();
        let hold = if root.is_many() {
            output.tracker.hold(&output.anchors.borrow(), output.epoch.borrow().as_ref())
        } else if root.is_none() {
            output.tracker.hold(&[], None)
        } else {
            output.tracker.hold(&[root], output.epoch.borrow().as_ref())
        };
        Ticket::new(hold, output.settle.clone())
    }

    /// Adds the tuple being executed to a set of held ones: its tree stays open until the set is
    /// settled. A tuple that nobody tracks is not added.
    ///
    /// The way to hold very many: see [`Holds`], which has an example.
    #[inline]
    pub fn hold_into(&self, holds: &mut Holds<O>) {
        let (root, loan) = (self.output.root.get(), &self.output.loan);
        let follows = root == loan.next.get() && holds.next == loan.tree.get();
        if follows && root != loan.end.get() {
            let tree = holds.next.nth_after(1);
            holds.next = tree;
            loan.tree.set(tree);
            loan.next.set(root.plus(self.output.root_step.get()));
        } else {
            self.output.hold_into(root, holds);
        }
    }

    /// Where the tuple being executed comes from: the same number for all tuples of one spout
    /// task, and different ones for those of different tasks. Tuples that nobody tracks have one
    /// number together; one that is anchored to several trees has that of the first.
    ///
    /// Tuples of one origin come in its order, unless they took different ways; so this tells the
    /// progress of one input from that of another.
    ///
    /// ```
    /// use tormenta_dsl::{Bolt, Emitter, Result};
    ///
    /// /// Emits how often the input changed from one spout task to another.
    /// #[derive(Clone, Default)]
    /// struct Changes { last: Option<usize>, count: u64 }
    ///
    /// impl Bolt for Changes {
    ///     type Input = u64;
    ///     type Output = u64;
    ///     async fn execute(&mut self, _n: u64, out: &Emitter<u64>) -> Result {
    ///         let is_other = self.last.replace(out.origin()) != Some(out.origin());
    ///         self.count += u64::from(is_other);
    ///         out.emit(self.count).await
    ///     }
    /// }
    /// ```
    #[must_use]
    #[inline]
    pub fn origin(&self) -> usize {
        let root = self.output.root.get();
        if root.is_many() {
            return self.output.anchors.borrow().first().map_or(UNTRACKED, |root| origin(*root));
        }
        origin(root)
    }
}

/// Origins of tuples whose tree has not left its spout's loop, and of those without a tree.
const SAME_LOOP: usize = Root::OWNERS_MAX;
const UNTRACKED: usize = Root::OWNERS_MAX + 1;

#[inline]
fn origin(root: Root) -> usize {
    if root.is_provisional() {
        SAME_LOOP
    } else if root.is_none() {
        UNTRACKED
    } else {
        root.owner()
    }
}

impl<O: Streams, A> Emitter<O, A> {
    /// Emits a tuple anchored to every one of these held tuples.
    ///
    /// # Errors
    /// As [`emit`](Emitter::emit).
    pub fn emit_for<'a, I>(&self, tickets: I, value: O) -> Emit<'_, O>
    where
        I: IntoIterator<Item = &'a Ticket<O>>,
    {
        let mut anchors = Vec::new();
        for ticket in tickets {
            ticket.anchor(&mut anchors);
            self.output.lower(ticket.epoch());
        }
        self.output.stage_for(anchors, value);
        Emit::when_full(&self.output)
    }

    /// Emits a tuple that is anchored to nothing: if it is lost, nobody will replay it.
    ///
    /// # Errors
    /// As [`emit`](Emitter::emit).
    pub fn emit_free(&self, value: O) -> Emit<'_, O> {
        self.output.emit(Root::NONE, 0, value)
    }
}

/// An emit, to be awaited: it waits while the reader has no room.
///
/// The tuple is on its way when this is made; awaiting it is what slows the emitter down to the
/// pace of its readers.
#[must_use = "an emit that is not awaited ignores that the reader has no room"]
pub struct Emit<'a, O: Streams>(Option<&'a Output<O>>);

impl<'a, O: Streams> Emit<'a, O> {
    #[inline]
    fn when_full(output: &'a Output<O>) -> Self {
        Self(output.is_full().then_some(output))
    }
}

impl<O: Streams> Future for Emit<'_, O> {
    type Output = Result;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<Result> {
        match self.0 {
            None => Poll::Ready(Ok(())),
            Some(output) => output.poll_emit(cx),
        }
    }
}

/// The output of one task as its engine sees it.
pub struct Output<O: Streams> {
    /// The tree of the tuple being executed.
    root: Cell<Root>,
    /// From one root to the next, while a run of them is being executed.
    root_step: Cell<u64>,
    /// Its trees, while `root` says that they are many.
    anchors: RefCell<Vec<Root>>,
    /// Tuples of the batch being executed that a holder has taken over.
    loan: Loan,
    /// The oldest epoch of anything staged or being executed.
    epoch: RefCell<Option<Epoch>>,
    staged: RefCell<Batch<O>>,
    /// Tuples that are staged at most; follows the room of the edges, up to `staged_limit`.
    staged_max: Cell<usize>,
    staged_limit: usize,
    emitted: Cell<u64>,
    /// Whether what is staged must wait for its turn; the engine polls again when it has come.
    is_closed: Cell<bool>,
    has_waited: Cell<bool>,
    outlets: RefCell<O::Outlets>,
    tracker: Rc<dyn Tracker>,
    settle: Arc<dyn Settle<O>>,
}

impl<O: Streams> Output<O> {
    /// An output that hands on up to `staged_limit` tuples at a time.
    pub fn new(
        outlets: O::Outlets,
        staged_limit: usize,
        tracker: Rc<dyn Tracker>,
        settle: Arc<dyn Settle<O>>,
    ) -> Rc<Self> {
        Rc::new(Self {
            root: Cell::new(Root::NONE),
            root_step: Cell::new(0),
            anchors: RefCell::default(),
            loan: Loan::new(),
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
    fn emit(&self, root: Root, direct: u64, value: O) -> Emit<'_, O> {
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
    fn hold_into(&self, root: Root, holds: &mut Holds<O>) {
        if root.is_none() {
            return;
        }
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
    fn poll_emit(&self, cx: &mut Waking<'_>) -> Poll<Result> {
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

    /// Hands what is staged to the edges, without shipping anything.
    pub fn dispatch(&self) {
        let mut staged = self.staged.borrow_mut();
        if staged.is_empty() {
            return;
        }
        self.emitted.set(self.emitted.get() + staged.len() as u64);
        staged.epoch.clone_from(&self.epoch.borrow());
        O::dispatch(&mut staged, &mut self.outlets.borrow_mut());
        staged.clear();
    }
}
