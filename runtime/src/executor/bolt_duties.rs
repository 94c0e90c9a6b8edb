//! What a stage does besides executing: ticks, the finish, and holds that grow too old.

use std::{future::poll_fn, pin::pin, sync::atomic::Ordering};

use tormenta_dsl::{Bolt, Failure, Result, Root, engine::Flush};

use super::bolt_stage::BoltStage;
use crate::{clock::Nanos, planted};

impl<B: Bolt> BoltStage<B> {
    pub(super) fn set_next_tick(&self) {
        let interval = self.parts.settings.tick.map_or(Nanos::MAX, |t| t.as_nanos() as Nanos);
        self.next_tick.set(self.parts.shared.now().saturating_add(interval));
    }

    pub(super) async fn tick(&self, bolt: &mut B) {
        self.set_next_tick();
        if planted!(TickLost) && !self.parts.inlet.is_empty() {
            return;
        }
        self.begin_own_duty();
        self.parts.stats.ticks.add(1);
        let result = self.waiting(pin!(bolt.tick(&self.free))).await;
        self.end_own_duty("tick", result).await;
    }

    pub(super) async fn finish(&self, bolt: &mut B) {
        self.begin_own_duty();
        let result = self.waiting(pin!(bolt.finish(&self.free))).await;
        self.end_own_duty("finish", result).await;
        self.set_finished();
    }

    pub(super) fn set_finished(&self) {
        self.finished.set(true);
        if self.parts.crew.finish_one() {
            self.parts.stats.duty.finished.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn begin_own_duty(&self) {
        self.own_duties.fetch_add(1, Ordering::SeqCst);
        self.parts.inlet.set_busy();
        self.parts.output.set_root(Root::NONE);
    }

    pub(super) async fn end_own_duty(&self, doing: &str, result: Result) {
        if let Err(why) = result {
            let place = &self.parts.stats.place;
            self.parts.shared.engine.report(place, &why.context(doing));
        }
        self.take_settled();
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.unflushed.set(self.unflushed.get() + 1);
    }

    /// Fails the trees of tickets that were held for too long.
    pub(super) fn expire(&self, now: Nanos) {
        let Some(limit) = self.parts.settings.hold_timeout else { return };
        let limit = limit.as_nanos() as Nanos;
        self.next_expiry.set(now + (limit / 4).max(1_000_000));
        let Some(aging) = &self.parts.aging else { return };
        let expired = aging.expire(now.saturating_sub(limit) / 1_000_000);
        let why = Failure::Expired(self.parts.stats.place.clone());
        self.parts.shared.fail(expired, &why, None);
    }
}
