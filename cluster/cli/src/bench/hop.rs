//! How long one tuple takes from one task to the next, when there is little to do.

use std::{sync::Mutex, time::Duration};

use tormenta::{Histogram, prelude::*};

use super::machine::now;

/// Emits the time, at a steady rate.
#[derive(Clone)]
pub(super) struct Stamps {
    cx: Option<Context>,
    every: Duration,
    next: Duration,
    limit: Duration,
}

impl Stamps {
    pub(super) fn new(every: Duration, limit: Duration) -> Self {
        Self { cx: None, every, next: Duration::ZERO, limit }
    }
}

impl Spout for Stamps {
    type Output = u64;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.next = cx.now();
        self.limit += self.next;
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(u64, ())>> {
        let Some(cx) = &self.cx else { return Ok(None) };
        if self.next >= self.limit {
            return Ok(None);
        }
        let wait = self.next.saturating_sub(cx.now());
        if !wait.is_zero() {
            cx.sleep(wait).await;
        }
        self.next += self.every;
        Ok(Some((now().as_nanos() as u64, ())))
    }
}

/// Notes how old the times are.
#[derive(Clone)]
pub(super) struct Ages(pub(super) std::sync::Arc<Mutex<Histogram>>);

impl Bolt for Ages {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, stamp: u64, _out: &Emitter<()>) -> Result {
        let age = (now().as_nanos() as u64).saturating_sub(stamp);
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).record(age, 1);
        Ok(())
    }
}

/// Needs a while for each tuple, without a processor.
#[derive(Clone)]
pub(super) struct Slow {
    pub(super) cx: Option<Context>,
    pub(super) wait: Duration,
}

impl Bolt for Slow {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, _n: u64, _out: &Emitter<()>) -> Result {
        if let Some(cx) = &self.cx {
            cx.sleep(self.wait).await;
        }
        Ok(())
    }
}
