//! What happens when a tuple comes, and when nothing will meet it any more.

use std::hash::Hash;

use tormenta_dsl::{Context, Counter, Emitter, Result, Ticket, Tuple};

use super::{
    Join, Joined,
    half::{Half, Moment, Waiting},
};
use crate::when::ms;

pub(super) type Pair<L, R> = Joined<L, R>;

/// What a task works with.
pub(super) struct Work<L: Tuple, R: Tuple, K> {
    pub(super) left: Half<K, L, Ticket<Pair<L, R>>>,
    pub(super) right: Half<K, R, Ticket<Pair<L, R>>>,
    /// No tuple before it is expected any more.
    pub(super) watermark: i64,
    pub(super) number: u64,
    pub(super) late: Counter,
    pub(super) evicted: Counter,
    pub(super) cx: Option<Context>,
}

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone> Work<L, R, K> {
    pub(super) fn new() -> Self {
        Self {
            left: Half::new(),
            right: Half::new(),
            watermark: i64::MIN,
            number: 0,
            late: Counter::default(),
            evicted: Counter::default(),
            cx: None,
        }
    }
}

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone + Send + 'static> Join<L, R, K> {
    pub(super) async fn arrive_left(&mut self, tuple: L, out: &Emitter<Pair<L, R>>) -> Result {
        let key = (self.left_key)(&tuple);
        let time = self.left_when.of(&tuple, self.work.cx.as_ref());
        self.advance(time.saturating_sub(ms(self.disorder)), out).await?;
        let (ticket, mut is_met) = (out.hold(), false);
        for other in self.work.right.near(&key, time, ms(self.within)) {
            is_met = true;
            let pair = Joined { left: Some(tuple.clone()), right: Some(other.tuple.clone()) };
            meet(other.hold.take(), &ticket, pair, out).await?;
        }
        let waiting = Waiting { tuple, hold: settle(ticket, is_met) };
        if self.may_wait(time) {
            self.work.number += 1;
            self.work.left.add(key, (time, self.work.number), waiting);
            return self.keep_bound(out).await;
        }
        self.leave_left(waiting, out).await
    }

    pub(super) async fn arrive_right(&mut self, tuple: R, out: &Emitter<Pair<L, R>>) -> Result {
        let key = (self.right_key)(&tuple);
        let time = self.right_when.of(&tuple, self.work.cx.as_ref());
        self.advance(time.saturating_sub(ms(self.disorder)), out).await?;
        let (ticket, mut is_met) = (out.hold(), false);
        for other in self.work.left.near(&key, time, ms(self.within)) {
            is_met = true;
            let pair = Joined { left: Some(other.tuple.clone()), right: Some(tuple.clone()) };
            meet(other.hold.take(), &ticket, pair, out).await?;
        }
        let waiting = Waiting { tuple, hold: settle(ticket, is_met) };
        if self.may_wait(time) {
            self.work.number += 1;
            self.work.right.add(key, (time, self.work.number), waiting);
            return self.keep_bound(out).await;
        }
        self.leave_right(waiting, out).await
    }

    /// Whether a tuple of this time may still be met.
    fn may_wait(&self, time: i64) -> bool {
        let is_late = self.is_over(time);
        if is_late {
            self.work.late.add(1);
        }
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
        while let Some((time, _)) = self.oldest()
            && self.is_over(time)
        {
            self.leave_oldest(out).await?;
        }
        Ok(())
    }

    async fn keep_bound<A>(&mut self, out: &Emitter<Pair<L, R>, A>) -> Result {
        while self.work.left.len() + self.work.right.len() > self.pending_max {
            self.work.evicted.add(1);
            self.leave_oldest(out).await?;
        }
        Ok(())
    }

    pub(super) fn oldest(&self) -> Option<Moment> {
        self.work.left.oldest().into_iter().chain(self.work.right.oldest()).min()
    }

    pub(super) async fn leave_oldest<A>(&mut self, out: &Emitter<Pair<L, R>, A>) -> Result {
        let oldest = self.oldest();
        if oldest.is_some() && self.work.left.oldest() == oldest {
            if let Some(waiting) = self.work.left.pop_oldest() {
                return self.leave_left(waiting, out).await;
            }
        } else if let Some(waiting) = self.work.right.pop_oldest() {
            return self.leave_right(waiting, out).await;
        }
        Ok(())
    }

    async fn leave_left<A>(
        &self,
        waiting: Waiting<L, Ticket<Pair<L, R>>>,
        out: &Emitter<Pair<L, R>, A>,
    ) -> Result {
        let alone = Joined { left: Some(waiting.tuple), right: None };
        leave(waiting.hold, self.emits_left.then_some(alone), out).await
    }

    async fn leave_right<A>(
        &self,
        waiting: Waiting<R, Ticket<Pair<L, R>>>,
        out: &Emitter<Pair<L, R>, A>,
    ) -> Result {
        let alone = Joined { left: None, right: Some(waiting.tuple) };
        leave(waiting.hold, self.emits_right.then_some(alone), out).await
    }
}

/// Emits a pair. The other tuple is done, if it was not before.
async fn meet<L: Tuple, R: Tuple>(
    other: Option<Ticket<Pair<L, R>>>,
    ticket: &Ticket<Pair<L, R>>,
    pair: Pair<L, R>,
    out: &Emitter<Pair<L, R>>,
) -> Result {
    match other {
        Some(other) => {
            let emitted = out.emit_for([&other, ticket], pair);
            other.ack();
            emitted.await
        }
        None => out.emit(pair).await,
    }
}

/// What goes on holding a tuple: nothing if it was met.
fn settle<L: Tuple, R: Tuple>(
    ticket: Ticket<Pair<L, R>>,
    is_met: bool,
) -> Option<Ticket<Pair<L, R>>> {
    if is_met {
        ticket.ack();
        return None;
    }
    Some(ticket)
}

/// Nothing will meet a tuple any more.
async fn leave<L: Tuple, R: Tuple, A>(
    hold: Option<Ticket<Pair<L, R>>>,
    alone: Option<Pair<L, R>>,
    out: &Emitter<Pair<L, R>, A>,
) -> Result {
    let Some(ticket) = hold else { return Ok(()) };
    let Some(alone) = alone else {
        ticket.ack();
        return Ok(());
    };
    let emitted = out.emit_for([&ticket], alone);
    ticket.ack();
    emitted.await
}
