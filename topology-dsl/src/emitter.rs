//! Where a component puts its output.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
    task::{Context as Waking, Poll},
};

pub use crate::output::Output;
use crate::{Error, Holds, Result, Root, Streams, Ticket};

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
    pub(crate) output: Rc<Output<O>>,
    pub(crate) mode: PhantomData<A>,
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
        let mut hold = if root.is_many() {
            output.tracker.hold(&output.anchors.borrow(), output.epoch.borrow().as_ref())
        } else if root.is_none() {
            output.tracker.hold(&[], None)
        } else {
            output.tracker.hold(&[root], output.epoch.borrow().as_ref())
        };
        output.note_hold(&mut hold);
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
        } else if !root.is_none() {
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

    /// Whether the tuple being executed comes of a tuple that its spout has emitted before: of an
    /// attempt after the first. With several anchors, whether any of their trees is one.
    ///
    /// For bolts that drop tuples because of what they remember. What they let through the first
    /// time may have failed further down; if they drop the replay, it is lost. The attempt before
    /// may as well have failed without ever coming here, so `true` does not say that the tuple was
    /// seen. A tuple that nobody tracks is no replay. The answer costs the test of a bit.
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use tormenta_dsl::{Bolt, Emitter, Result};
    ///
    /// /// Emits each number once, and those again that must be processed again.
    /// #[derive(Clone, Default)]
    /// struct Distinct { seen: HashSet<u64> }
    ///
    /// impl Bolt for Distinct {
    ///     type Input = u64;
    ///     type Output = u64;
    ///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
    ///         if self.seen.insert(n) || out.is_replay() {
    ///             out.emit(n).await?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[must_use]
    #[inline]
    pub fn is_replay(&self) -> bool {
        self.output.root.get().is_replayed()
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
    /// As [`emit`](Emitter::emit); and if a ticket was taken by another task, or by another clone
    /// of this one. Its ack would not wait for what is emitted here, so nothing is. Such a ticket
    /// can be [finished](Ticket::finish) with outputs.
    pub fn emit_for<'a, I>(&self, tickets: I, value: O) -> EmitFor<'_, O>
    where
        I: IntoIterator<Item = &'a Ticket<O>>,
    {
        if let Err(why) = self.stage_for(tickets, value) {
            return EmitFor(Err(why));
        }
        EmitFor(Ok(Emit::when_full(&self.output)))
    }

    /// Emits a tuple by itself, anchored to every one of these held tuples or to nothing, and adds
    /// to `told` the [numbers](crate::Plan::number_of) of the tasks that get it: of all components
    /// that read its stream, in the order of their declaration.
    ///
    /// It is on its way when this returns, behind what was emitted before, and `told` is complete.
    /// It travels with no others, so this is slower than [`emit_for`](Emitter::emit_for).
    ///
    /// ```
    /// use tormenta_dsl::{Bolt, Emitter, Result};
    ///
    /// /// Remembers which task got which number.
    /// #[derive(Clone, Default)]
    /// struct Remember { given: Vec<(u64, Vec<usize>)> }
    ///
    /// impl Bolt for Remember {
    ///     type Input = u64;
    ///     type Output = u64;
    ///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
    ///         let (ticket, mut told) = (out.hold(), Vec::new());
    ///         let emitted = out.emit_told([&ticket], n, &mut told);
    ///         self.given.push((n, told));
    ///         ticket.ack();
    ///         emitted.await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`emit_for`](Emitter::emit_for); and in a bolt that is `concurrent` and keeps the order,
    /// while others are before it: nobody knows then who gets the tuple, and nothing is emitted.
    pub fn emit_told<'a, I>(&self, tickets: I, value: O, told: &mut Vec<usize>) -> EmitFor<'_, O>
    where
        I: IntoIterator<Item = &'a Ticket<O>>,
    {
        self.emit_alone(tickets, value, None, told)
    }

    /// Emits a tuple to the task of this [number](crate::Plan::number_of) alone, anchored to every
    /// one of these held tuples or to nothing. The task must read the stream of the tuple by
    /// `direct()`; if it does not, the trees that the tuple is anchored to fail.
    ///
    /// Other readers of the stream do not get the tuple, unlike that of
    /// [`emit_direct`](Emitter::emit_direct).
    ///
    /// ```
    /// use tormenta_dsl::{Emitter, Result, Ticket};
    ///
    /// async fn answer(out: &Emitter<u64>, asked_by: usize, ticket: &Ticket<u64>) -> Result {
    ///     out.emit_only([ticket], asked_by, 42).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`emit_told`](Emitter::emit_told).
    pub fn emit_only<'a, I>(&self, tickets: I, task: usize, value: O) -> EmitFor<'_, O>
    where
        I: IntoIterator<Item = &'a Ticket<O>>,
    {
        self.emit_alone(tickets, value, Some(task), &mut Vec::new())
    }

    fn emit_alone<'a, I>(
        &self,
        tickets: I,
        value: O,
        only: Option<usize>,
        told: &mut Vec<usize>,
    ) -> EmitFor<'_, O>
    where
        I: IntoIterator<Item = &'a Ticket<O>>,
    {
        if self.output.is_closed.get() {
            return EmitFor(Err(
                "a concurrent bolt that keeps the order cannot know who will get a \
                                tuple: declare it without `concurrent`",
            ));
        }
        if let Err(why) = self.stage_for(tickets, value) {
            return EmitFor(Err(why));
        }
        self.output.dispatch_last(only, told);
        // Also where there is room: nobody else looks whether a batch is full.
        EmitFor(Ok(Emit(Some(&self.output))))
    }

    fn stage_for<'a, I>(&self, tickets: I, value: O) -> std::result::Result<(), &'static str>
    where
        I: IntoIterator<Item = &'a Ticket<O>>,
    {
        let mut anchors = Vec::new();
        for ticket in tickets {
            if !ticket.is_of(&self.output.settle) {
                return Err("the ticket belongs to another task");
            }
            ticket.anchor(&mut anchors);
            self.output.lower(ticket.epoch());
        }
        self.output.stage_for(anchors, value);
        Ok(())
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
pub struct Emit<'a, O: Streams>(pub(crate) Option<&'a Output<O>>);

impl<'a, O: Streams> Emit<'a, O> {
    #[inline]
    pub(crate) fn when_full(output: &'a Output<O>) -> Self {
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

/// An emit for tickets, to be awaited as [`Emit`] is. It may have been refused.
#[must_use = "an emit that is not awaited ignores that it was refused, or that nobody has room"]
pub struct EmitFor<'a, O: Streams>(std::result::Result<Emit<'a, O>, &'static str>);

impl<O: Streams> Future for EmitFor<'_, O> {
    type Output = Result;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<Result> {
        match &mut self.0 {
            Ok(emit) => Pin::new(emit).poll(cx),
            Err(why) => Poll::Ready(Err(Error::msg(*why))),
        }
    }
}
