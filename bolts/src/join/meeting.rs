//! What happens when a tuple comes, and when nothing will meet it any more.
//!
//! A pair is anchored to both of its tuples, and both are held until their bound has passed: so
//! when the pair fails, both come again. By then their bound may have passed. So a replay goes on
//! waiting for a while after it, and meets not only what waits but also what is kept.

use std::hash::Hash;

use tormenta_dsl::{Context, Counter, Emitter, Error, Result, Ticket, Tuple};

use super::{
    Join, Joined,
    half::{Half, Moment, Waiting},
};
use crate::when::ms;

pub(super) type Pair<L, R> = Joined<L, R>;
type Held<T, L, R> = Waiting<T, Ticket<Pair<L, R>>>;
/// A ticket to be acked, and a tuple to be emitted alone.
type Done<T, L, R> = (Ticket<Pair<L, R>>, Option<T>);

/// What a task works with.
pub(super) struct Work<L: Tuple, R: Tuple, K> {
    pub(super) left: Half<K, L, Ticket<Pair<L, R>>>,
    pub(super) right: Half<K, R, Ticket<Pair<L, R>>>,
    /// No tuple before it is expected any more.
    pub(super) watermark: i64,
    pub(super) number: u64,
    /// Tuples as of the last tick, and since when there were so many, in engine time.
    quiet: (u64, i64),
    pub(super) late: Counter,
    pub(super) evicted: Counter,
    pub(super) replays: Counter,
    pub(super) cx: Option<Context>,
}

/// Time without a tuple after which a join that holds some says so, once, in milliseconds.
const QUIET_MS: i64 = 60_000;

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone> Work<L, R, K> {
    pub(super) fn new() -> Self {
        Self {
            left: Half::new(),
            right: Half::new(),
            watermark: i64::MIN,
            number: 0,
            quiet: (0, 0),
            late: Counter::default(),
            evicted: Counter::default(),
            replays: Counter::default(),
            cx: None,
        }
    }

    /// The engine's time, in milliseconds.
    fn now(&self) -> i64 {
        self.cx.as_ref().map_or(0, |cx| ms(cx.now()))
    }
}

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone + Send + 'static> Join<L, R, K> {
    pub(super) async fn arrive_left(&mut self, tuple: L, out: &Emitter<Pair<L, R>>) -> Result {
        let key = (self.left_key)(&tuple);
        let time = self.left_when.of(&tuple, self.work.cx.as_ref());
        self.advance(time.saturating_sub(ms(self.disorder)), out).await?;
        let (ticket, until) = (out.hold(), self.kept_until(out));
        let mut is_met = false;
        for other in self.work.right.near(&key, time, ms(self.within), until.is_some()) {
            is_met = true;
            let pair = Joined { left: Some(tuple.clone()), right: Some(other.tuple.clone()) };
            meet(other, until, self.acks_met, &ticket, pair, out).await?;
        }
        let waiting = self.waiting(tuple, ticket, is_met, until.is_some());
        if self.may_wait(time, until.is_some()) {
            let moment = (time, self.work.number);
            self.work.left.add(key, moment, waiting);
            return self.make_room(out).await;
        }
        self.leave_left(gone(waiting, self.emits_left), out).await
    }

    pub(super) async fn arrive_right(&mut self, tuple: R, out: &Emitter<Pair<L, R>>) -> Result {
        let key = (self.right_key)(&tuple);
        let time = self.right_when.of(&tuple, self.work.cx.as_ref());
        self.advance(time.saturating_sub(ms(self.disorder)), out).await?;
        let (ticket, until) = (out.hold(), self.kept_until(out));
        let mut is_met = false;
        for other in self.work.left.near(&key, time, ms(self.within), until.is_some()) {
            is_met = true;
            let pair = Joined { left: Some(other.tuple.clone()), right: Some(tuple.clone()) };
            meet(other, until, self.acks_met, &ticket, pair, out).await?;
        }
        let waiting = self.waiting(tuple, ticket, is_met, until.is_some());
        if self.may_wait(time, until.is_some()) {
            let moment = (time, self.work.number);
            self.work.right.add(key, moment, waiting);
            return self.make_room(out).await;
        }
        self.leave_right(gone(waiting, self.emits_right), out).await
    }

    /// Up to when a replay keeps those that it meets; nothing if this is none.
    fn kept_until(&self, out: &Emitter<Pair<L, R>>) -> Option<i64> {
        let is_replay = out.is_replay();
        self.work.replays.add(u64::from(is_replay));
        is_replay.then(|| self.work.now().saturating_add(ms(self.replays_within)))
    }

    fn waiting<T>(
        &mut self,
        tuple: T,
        ticket: Ticket<Pair<L, R>>,
        is_met: bool,
        is_replay: bool,
    ) -> Held<T, L, R> {
        self.work.number += 1;
        let hold = if is_met && self.acks_met {
            ticket.ack();
            None
        } else {
            Some(ticket)
        };
        Waiting { tuple, hold, is_met, is_replay, until: None }
    }

    /// Whether a tuple of this time may still be met.
    fn may_wait(&self, time: i64, is_replay: bool) -> bool {
        let is_late = self.is_over(time) && !is_replay;
        self.work.late.add(u64::from(is_late));
        !is_late
    }

    fn is_over(&self, time: i64) -> bool {
        time.saturating_add(ms(self.within)) < self.work.watermark
    }

    /// No tuple before this time is expected any more: lets go of those that only such could meet.
    pub(super) async fn advance<A>(
        &mut self,
        watermark: i64,
        out: &Emitter<Pair<L, R>, A>,
    ) -> Result {
        if watermark <= self.work.watermark {
            return Ok(());
        }
        self.work.watermark = watermark;
        self.let_go(out).await
    }

    /// Lets go of those whose bound has passed. They are kept for replays.
    async fn let_go<A>(&mut self, out: &Emitter<Pair<L, R>, A>) -> Result {
        while let Some(oldest) = self.oldest()
            && self.is_over(oldest.0)
        {
            let until = self.work.now().saturating_add(ms(self.replays_within));
            if self.work.left.oldest() == Some(oldest) {
                let kept = self.work.left.keep_oldest(until);
                let done = kept.and_then(|kept| done(kept, self.emits_left));
                self.leave_left(done, out).await?;
            } else {
                let kept = self.work.right.keep_oldest(until);
                let done = kept.and_then(|kept| done(kept, self.emits_right));
                self.leave_right(done, out).await?;
            }
        }
        Ok(())
    }

    /// After a tuple was added: lets go of it if nothing more is waited for, and keeps the bound.
    async fn make_room(&mut self, out: &Emitter<Pair<L, R>>) -> Result {
        self.let_go(out).await?;
        while self.work.left.len() + self.work.right.len() > self.pending_max {
            // Memory before work: what is only kept goes first.
            if self.forget_kept(i64::MAX, true, out).await? {
                continue;
            }
            self.work.evicted.add(1);
            self.leave_oldest(out).await?;
        }
        Ok(())
    }

    /// The oldest that waits is done, and not kept.
    async fn leave_oldest<A>(&mut self, out: &Emitter<Pair<L, R>, A>) -> Result {
        let oldest = self.oldest();
        if oldest.is_some() && self.work.left.oldest() == oldest {
            let oldest = self.work.left.pop_oldest();
            self.leave_left(oldest.and_then(|w| gone(w, self.emits_left)), out).await
        } else {
            let oldest = self.work.right.pop_oldest();
            self.leave_right(oldest.and_then(|w| gone(w, self.emits_right)), out).await
        }
    }

    /// Forgets one of those that are kept, if the time of one is up; a replay among them is done
    /// then. False if there is none.
    pub(super) async fn forget_kept<A>(
        &mut self,
        now: i64,
        evicts: bool,
        out: &Emitter<Pair<L, R>, A>,
    ) -> Result<bool> {
        let firsts = (self.work.left.first_kept(), self.work.right.first_kept());
        let is_left = firsts.1.is_none_or(|right| firsts.0.is_some_and(|left| left <= right));
        if is_left {
            let Some(waiting) = self.work.left.pop_kept(now) else { return Ok(false) };
            self.work.evicted.add(u64::from(evicts && waiting.hold.is_some()));
            self.leave_left(gone(waiting, self.emits_left), out).await?;
        } else {
            let Some(waiting) = self.work.right.pop_kept(now) else { return Ok(false) };
            self.work.evicted.add(u64::from(evicts && waiting.hold.is_some()));
            self.leave_right(gone(waiting, self.emits_right), out).await?;
        }
        Ok(true)
    }

    fn oldest(&self) -> Option<Moment> {
        self.work.left.oldest().into_iter().chain(self.work.right.oldest()).min()
    }

    /// Time passes: forgets what was kept for long enough.
    pub(super) async fn forget<A>(&mut self, out: &Emitter<Pair<L, R>, A>) -> Result {
        let now = self.work.now();
        while self.forget_kept(now, false, out).await? {}
        Ok(())
    }

    /// Nothing more will come, no replays either.
    pub(super) async fn end<A>(&mut self, out: &Emitter<Pair<L, R>, A>) -> Result {
        while self.oldest().is_some() {
            self.leave_oldest(out).await?;
        }
        while self.forget_kept(i64::MAX, false, out).await? {}
        Ok(())
    }

    /// Says once that tuples wait for a time that does not come.
    pub(super) fn complain(&mut self) {
        let Some(cx) = &self.work.cx else { return };
        let (now, (number, since)) = (self.work.now(), self.work.quiet);
        if number != self.work.number {
            self.work.quiet = (self.work.number, now);
        } else if now.saturating_sub(since) >= QUIET_MS && self.oldest().is_some() {
            self.work.quiet = (number, i64::MAX);
            cx.report(&Error::msg(
                "a join waits for later tuples, and none come: if a spout has reached its \
                 `pending_max`, set it above the tuples of the time bound, or use `ack_when_met`",
            ));
        }
    }

    async fn leave_left<A>(
        &self,
        done: Option<Done<L, L, R>>,
        out: &Emitter<Pair<L, R>, A>,
    ) -> Result {
        let Some((ticket, left)) = done else { return Ok(()) };
        leave(ticket, left.map(|left| Joined { left: Some(left), right: None }), out).await
    }

    async fn leave_right<A>(
        &self,
        done: Option<Done<R, L, R>>,
        out: &Emitter<Pair<L, R>, A>,
    ) -> Result {
        let Some((ticket, right)) = done else { return Ok(()) };
        leave(ticket, right.map(|right| Joined { left: None, right: Some(right) }), out).await
    }
}

/// Emits a pair, anchored to both of its tuples as far as they are held. Where one is done when it
/// is met, the other one is done now; and what a replay meets is kept for as long again.
async fn meet<T, L: Tuple, R: Tuple>(
    other: &mut Held<T, L, R>,
    until: Option<i64>,
    acks_met: bool,
    ticket: &Ticket<Pair<L, R>>,
    pair: Pair<L, R>,
    out: &Emitter<Pair<L, R>>,
) -> Result {
    other.is_met = true;
    other.until = other.until.max(other.until.and(until));
    let anchors = other.hold.iter().chain([ticket]);
    let emitted = out.emit_for(anchors, pair);
    if acks_met && let Some(other) = other.hold.take() {
        other.ack();
    }
    emitted.await
}

/// One whose bound has passed is done, and stays where it is kept. But a replay goes on waiting.
fn done<T: Clone, L: Tuple, R: Tuple>(
    kept: &mut Held<T, L, R>,
    emits: bool,
) -> Option<Done<T, L, R>> {
    if kept.is_replay {
        return None;
    }
    let alone = emits && !kept.is_met;
    kept.hold.take().map(|ticket| (ticket, alone.then(|| kept.tuple.clone())))
}

/// What is no longer kept is done, unless it was before.
fn gone<T, L: Tuple, R: Tuple>(waiting: Held<T, L, R>, emits: bool) -> Option<Done<T, L, R>> {
    let alone = emits && !waiting.is_met;
    waiting.hold.map(|ticket| (ticket, alone.then_some(waiting.tuple)))
}

/// Nothing will meet a tuple any more.
async fn leave<L: Tuple, R: Tuple, A>(
    ticket: Ticket<Pair<L, R>>,
    alone: Option<Pair<L, R>>,
    out: &Emitter<Pair<L, R>, A>,
) -> Result {
    let Some(alone) = alone else {
        ticket.ack();
        return Ok(());
    };
    let emitted = out.emit_for([&ticket], alone);
    ticket.ack();
    emitted.await
}
