//! The bolt around the windows: it knows time, keys, holds and nothing of how windows work.

use std::{
    pin::Pin,
    task::{Context as Waking, Poll},
    time::Duration,
};

use tormenta_dsl::{
    Bolt, Context, Counter, Emitter, Error, Free, Holds, Result, Retry, Streams, Tuple,
};

use super::{
    Aggregate, KeyOf, TimeOf, WindowOutput, Windowed,
    builder::{Key, Output, Policy, ms},
    machine::{AllFired, Fired, Inputs, Lengths, Machine, TIME_MAX},
    progress::Progress,
};

impl<O: Streams> Inputs for Holds<O> {
    fn absorb(&mut self, other: Self) {
        self.append(other);
    }
}

type Kept<B, A> = Holds<Output<B, A>>;

/// Folds the tuples of each window into one result. Made by
/// [`Windows::aggregate`](super::Windows).
///
/// Memory is a state for each key of each open window (of sliding windows, of each part that they
/// share), and what [`Holds`] needs for their inputs.
pub struct WindowBolt<M, T, B, A>
where
    A: Aggregate<In: Tuple>,
    B: KeyOf<A::In>,
{
    lengths: Lengths,
    policy: Policy,
    time: T,
    key: B,
    aggregate: A,
    windows: M,
    progress: Progress,
    /// Room for what fires, and for inputs that are done.
    fired: AllFired<Key<B, A>, A>,
    done: Vec<Kept<B, A>>,
    late: Counter,
    cx: Option<Context>,
    has_complained: bool,
}

/// What is left to do for a tuple.
enum Step {
    Done,
    OutOfRange(i64),
    Late,
    Emit,
}

/// An execute: done in most cases when it is made.
enum Executed<F> {
    Done,
    Rest(Pin<Box<F>>),
}

impl<F: Future<Output = Result>> Future for Executed<F> {
    type Output = Result;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<Result> {
        match &mut *self {
            Self::Done => Poll::Ready(Ok(())),
            Self::Rest(rest) => rest.as_mut().poll(cx),
        }
    }
}

impl<M, T, B, A> WindowBolt<M, T, B, A>
where
    M: Machine<Key<B, A>, A, Kept<B, A>>,
    T: TimeOf<A::In>,
    B: KeyOf<A::In>,
    A: Aggregate<In: Tuple>,
{
    pub(super) fn new(mut lengths: Lengths, policy: Policy, time: T, key: B, aggregate: A) -> Self {
        lengths.lateness = ms(policy.lateness).min(TIME_MAX);
        let checked = lengths.check().map(|()| lengths.clone());
        let fit = checked.unwrap_or(Lengths { width: 1, slide: 1, ..lengths.clone() });
        Self {
            windows: M::start(aggregate.clone(), &fit),
            progress: Progress::new(ms(policy.disorder).min(TIME_MAX)),
            lengths,
            policy,
            time,
            key,
            aggregate,
            fired: Vec::new(),
            done: Vec::new(),
            late: Counter::default(),
            cx: None,
            has_complained: false,
        }
    }

    /// Emits what has fired, then lets go of the inputs that nothing needs any more.
    async fn emit<E>(&mut self, out: &Emitter<Output<B, A>, E>) -> Result {
        for Fired { key, start, end, firing, value } in self.fired.drain(..) {
            let result = WindowOutput::Results(Windowed { key, start, end, firing, value });
            if self.policy.holds {
                out.emit_result(result).await?;
            } else {
                out.emit_free(result).await?;
            }
        }
        self.done.drain(..).for_each(|inputs| out.ack_after_results(inputs));
        Ok(())
    }

    /// Adds a tuple to its windows.
    #[inline]
    fn take_in(&mut self, tuple: &A::In, out: &Emitter<Output<B, A>>) -> Step {
        let time = self.time.time(tuple);
        if time.wrapping_add(TIME_MAX) as u64 > 2 * TIME_MAX as u64 {
            return Step::OutOfRange(time);
        }
        let key = self.key.key(tuple);
        match self.windows.add(time, key, tuple, &mut self.fired, &mut self.done) {
            Some(kept) if self.policy.holds => out.hold_into(kept),
            Some(_) => {}
            None => return Step::Late,
        }
        if let Some(watermark) = self.progress.observe(out.origin(), time) {
            self.advance(watermark);
        }
        if self.fired.is_empty() && self.done.is_empty() { Step::Done } else { Step::Emit }
    }

    async fn go_on(&mut self, step: Step, tuple: A::In, out: &Emitter<Output<B, A>>) -> Result {
        match step {
            Step::Done => Ok(()),
            Step::OutOfRange(time) => {
                Err(Error::poison(format!("event time {time} is out of range")))
            }
            Step::Late => {
                self.late.add(1);
                out.emit(WindowOutput::Late(tuple)).await
            }
            Step::Emit => self.emit(out).await,
        }
    }

    #[inline(never)]
    fn advance(&mut self, watermark: i64) {
        self.windows.advance(watermark, &mut self.fired, &mut self.done);
    }

    #[cold]
    fn complain(&mut self) {
        let Some(cx) = self.cx.as_ref().filter(|_| self.policy.holds) else { return };
        if !std::mem::replace(&mut self.has_complained, true) {
            cx.report(&Error::msg(
                "windows wait for later tuples, and none come: if a spout has reached its \
                 `pending_max`, set it above the tuples of the open windows, or use \
                 `ack_on_arrival`",
            ));
        }
    }
}

impl<M, T, B, A> Clone for WindowBolt<M, T, B, A>
where
    M: Machine<Key<B, A>, A, Kept<B, A>>,
    T: TimeOf<A::In>,
    B: KeyOf<A::In>,
    A: Aggregate<In: Tuple>,
{
    /// The same windows, and nothing in them.
    fn clone(&self) -> Self {
        let (time, key) = (self.time.clone(), self.key.clone());
        Self::new(self.lengths.clone(), self.policy.clone(), time, key, self.aggregate.clone())
    }
}

impl<M, T, B, A> Bolt for WindowBolt<M, T, B, A>
where
    M: Machine<Key<B, A>, A, Kept<B, A>> + Send + 'static,
    T: TimeOf<A::In>,
    B: KeyOf<A::In>,
    A: Aggregate<In: Tuple>,
{
    type Input = A::In;
    type Output = Output<B, A>;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.lengths.check().map_err(Error::msg)?;
        self.late = cx.counter("late");
        self.cx = Some(cx.clone());
        Ok(())
    }

    // The work is done when the future is made: so that it is inlined where tuple after tuple is
    // executed, which the body of an `async fn` of this size is not.
    #[inline(always)]
    fn execute(
        &mut self,
        tuple: A::In,
        out: &Emitter<Output<B, A>>,
    ) -> impl Future<Output = Result> {
        match self.take_in(&tuple, out) {
            Step::Done => Executed::Done,
            step => Executed::Rest(Box::pin(self.go_on(step, tuple, out))),
        }
    }

    fn retry(&self) -> Option<Retry> {
        self.policy.holds.then(Retry::default)
    }

    fn tick_interval(&self) -> Option<Duration> {
        let may_idle = self.policy.idle < Duration::MAX;
        may_idle.then(|| (self.policy.idle / 4).max(Duration::from_millis(1)))
    }

    async fn tick(&mut self, out: &Emitter<Output<B, A>, Free>) -> Result {
        let now = self.cx.as_ref().map_or(Duration::ZERO, Context::now);
        if let Some(watermark) = self.progress.look(ms(now), ms(self.policy.idle)) {
            self.advance(watermark);
        }
        if self.progress.is_idle() && self.windows.due() < i64::MAX {
            self.complain();
        }
        self.emit(out).await
    }

    async fn finish(&mut self, out: &Emitter<Output<B, A>, Free>) -> Result {
        self.windows.finish(&mut self.fired, &mut self.done);
        self.emit(out).await
    }
}
