//! What a stage does besides executing: ticks, the finish, and holds that grow too old.

use std::{future::poll_fn, pin::pin, sync::atomic::Ordering};

use tormenta_dsl::{Bolt, Error, Failure, Root, engine::Flush};

use super::bolt_stage::{BoltStage, OwnDuty};
use crate::{
    clock::{Nanos, nanos},
    planted,
    report::Phase,
};

impl<B: Bolt> BoltStage<B> {
    pub(super) fn set_next_tick(&self) {
        let interval = self.parts.settings.tick.map_or(Nanos::MAX, nanos);
        self.next_tick.set(self.parts.shared.now().saturating_add(interval));
    }

    pub(super) async fn tick(&self, bolt: &mut B) {
        self.set_next_tick();
        self.has_ticked.set(true);
        if planted!(TickLost) && !self.parts.inlet.is_empty() {
            return;
        }
        self.begin_own_duty(OwnDuty::Tick);
        self.parts.stats.ticks.add(1);
        if let Some(Err(why)) = self.waiting(Phase::Tick, pin!(bolt.tick(&self.free))).await {
            let (engine, place) = (&self.parts.shared.engine, &self.parts.stats.place);
            engine.report(place, Some(Phase::Tick), &why.context("tick"));
        }
        self.end_own_duty().await;
        if self.next_tick.get() <= self.parts.shared.now() {
            self.set_next_tick(); // it took longer than the interval: now it rests for one
        }
    }

    pub(super) async fn finish(&self, bolt: &mut B) {
        self.finished.set(true);
        self.begin_own_duty(OwnDuty::Finish);
        if let Some(Err(why)) = self.waiting(Phase::Finish, pin!(bolt.finish(&self.free))).await {
            let (engine, place) = (&self.parts.shared.engine, &self.parts.stats.place);
            engine.fail(place, Phase::Finish, &why.context("finish"));
        }
        self.end_own_duty().await;
        self.set_finished();
    }

    pub(super) fn set_finished(&self) {
        self.finished.set(true);
        self.next_tick.set(Nanos::MAX); // the finish is the last chance to emit
        if self.parts.crew.finish_one() {
            self.parts.stats.duty.finished.store(true, Ordering::SeqCst);
        }
    }

    fn begin_own_duty(&self, duty: OwnDuty) {
        self.at_duty.set(Some(duty));
        self.own_since.store(self.parts.shared.now().max(1), Ordering::SeqCst);
        self.own_duties.fetch_add(1, Ordering::SeqCst);
        self.parts.inlet.set_busy();
        self.parts.output.set_root(Root::NONE);
        self.parts.output.set_closed(false);
    }

    /// The user's code waits. For its readers it may wait as long as they need, and that does not
    /// count as time of its own.
    pub(super) fn note_own_duty(&self) {
        if self.at_duty.get().is_none() {
            return;
        }
        if self.parts.output.take_has_waited() {
            self.own_since.store(0, Ordering::SeqCst);
        } else if self.own_since.load(Ordering::Relaxed) == 0 {
            self.own_since.store(self.parts.shared.now().max(1), Ordering::SeqCst);
        }
    }

    async fn end_own_duty(&self) {
        self.own_since.store(0, Ordering::SeqCst);
        self.take_settled();
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.at_duty.set(None);
        self.unflushed.set(self.unflushed.get() + 1);
    }

    /// The user's code panicked while it was at a tick or at the finish: that is over.
    pub(super) fn break_own_duty_off(&self) {
        let Some(duty) = self.at_duty.take() else { return };
        self.own_since.store(0, Ordering::SeqCst);
        self.unflushed.set(self.unflushed.get() + 1);
        if duty == OwnDuty::Finish {
            let why = Error::msg("panicked while it finished");
            self.parts.shared.engine.fail(&self.parts.stats.place, Phase::Finish, &why);
            self.set_finished();
        }
    }

    /// Expires what is due while user code waits. Returns when to look again.
    pub(super) fn expire_due(&self) -> Nanos {
        if self.next_expiry.get() < Nanos::MAX {
            let now = self.parts.shared.now();
            if now >= self.next_expiry.get() {
                self.expire(now);
            }
        }
        self.next_expiry.get()
    }

    /// Fails the trees of tickets that were held for too long.
    pub(super) fn expire(&self, now: Nanos) {
        let Some(limit) = self.parts.settings.hold_timeout else { return };
        let limit = nanos(limit);
        self.next_expiry.set(now.saturating_add((limit / 4).max(1_000_000)));
        let Some(aging) = &self.parts.aging else { return };
        let (expired, tuples) = aging.expire(now.saturating_sub(limit) / 1_000_000);
        self.count_failed(tuples);
        let why = Failure::Expired(self.parts.stats.place.clone());
        self.parts.shared.fail(expired, &why, None);
    }
}
