//! The topologies that are measured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tormenta::prelude::*;

use super::{
    sentences::{SENTENCES, WORDS},
    windows::WindowChecks,
};

/// What sources and sinks counted, to be compared when the topology has ended.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) emitted: AtomicU64,
    pub(super) emitted_sum: AtomicU64,
    pub(super) acked: AtomicU64,
    pub(super) acked_sum: AtomicU64,
    pub(super) sunk: AtomicU64,
    pub(super) sunk_sum: AtomicU64,
    /// Only W4 has some.
    pub(super) windows: WindowChecks,
}

/// When a source stops.
#[derive(Clone, Copy)]
pub(super) enum Until {
    /// After so many tuples in all.
    Count(u64),
    /// After so much time.
    Time(Duration),
}

/// Emits numbers, as fast as they are taken.
#[derive(Clone)]
pub(super) struct Numbers {
    until: Until,
    checks: Arc<Checks>,
    cx: Option<Context>,
    next: u64,
    /// The number before which to look whether it is over.
    look: u64,
    acked: u64,
    acked_sum: u64,
}

/// Tuples between two looks at the clock.
const LOOK: u64 = 4096;

impl Numbers {
    pub(super) fn new(until: Until, checks: &Arc<Checks>) -> Self {
        let checks = checks.clone();
        Self { until, checks, cx: None, next: 0, look: 0, acked: 0, acked_sum: 0 }
    }

    pub(super) fn checks(&self) -> Arc<Checks> {
        self.checks.clone()
    }

    /// Looks whether it is over, and says when to look again.
    #[cold]
    fn has_ended(&mut self) -> bool {
        let (is_over, look) = match self.until {
            Until::Count(count) => (self.next >= count, count),
            Until::Time(limit) => {
                let is_late = self.cx.as_ref().is_none_or(|cx| cx.now() >= limit);
                (is_late, self.next + LOOK)
            }
        };
        if !is_over {
            self.look = look;
        }
        is_over
    }
}

impl Spout for Numbers {
    type Output = u64;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        if self.next == self.look && self.has_ended() {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some((self.next, self.next)))
    }

    #[inline]
    fn acked(&mut self, id: u64) {
        self.acked += 1;
        self.acked_sum = self.acked_sum.wrapping_add(id);
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        self.checks.emitted.fetch_add(self.next, Ordering::Relaxed);
        let sum = (u128::from(self.next) * (u128::from(self.next) + 1) / 2) as u64;
        self.checks.emitted_sum.fetch_add(sum, Ordering::Relaxed);
        self.checks.acked.fetch_add(self.acked, Ordering::Relaxed);
        self.checks.acked_sum.fetch_add(self.acked_sum, Ordering::Relaxed);
    }
}

/// Emits a changed number.
#[derive(Clone)]
pub(super) struct Flip;

impl Bolt for Flip {
    type Input = u64;
    type Output = u64;

    #[inline]
    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        out.emit(n ^ 1).await
    }
}

/// Adds numbers up.
#[derive(Clone)]
pub(super) struct Sum {
    checks: Arc<Checks>,
    flip: u64,
    count: u64,
    sum: u64,
}

impl Sum {
    /// `flip` undoes what the bolts before it did.
    pub(super) fn new(flip: u64, checks: &Arc<Checks>) -> Self {
        Self { checks: checks.clone(), flip, count: 0, sum: 0 }
    }
}

impl Bolt for Sum {
    type Input = u64;
    type Output = ();

    #[inline]
    async fn execute(&mut self, n: u64, _out: &Emitter<()>) -> Result {
        self.count += 1;
        self.sum = self.sum.wrapping_add(std::hint::black_box(n) ^ self.flip);
        Ok(())
    }
}

impl Drop for Sum {
    fn drop(&mut self) {
        self.checks.sunk.fetch_add(self.count, Ordering::Relaxed);
        self.checks.sunk_sum.fetch_add(self.sum, Ordering::Relaxed);
    }
}

/// Emits the sentences, over and over.
#[derive(Clone)]
pub(super) struct Sentences(pub(super) Numbers);

/// A sentence.
#[derive(Tuple, Clone, Serialize, Deserialize)]
pub(super) struct Sentence {
    text: Bytes,
}

/// A word, owned: the way most programs would write it.
#[derive(Tuple, Clone, Serialize, Deserialize)]
pub(super) struct OwnedWord {
    pub(super) word: String,
}

/// A word and how often it was seen.
#[derive(Tuple, Clone, Serialize, Deserialize)]
pub(super) struct Counted {
    word: String,
    count: u64,
}

impl Spout for Sentences {
    type Output = Sentence;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0.prepare(cx).await
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(Sentence, u64)>> {
        let Some((n, id)) = self.0.next().await? else { return Ok(None) };
        let text = SENTENCES[n as usize % SENTENCES.len()].clone();
        Ok(Some((Sentence { text }, id)))
    }

    #[inline]
    fn acked(&mut self, id: u64) {
        self.0.acked(id);
    }
}

/// Splits sentences into owned words.
#[derive(Clone)]
pub(super) struct SplitOwned;

impl Bolt for SplitOwned {
    type Input = Sentence;
    type Output = OwnedWord;

    #[inline]
    async fn execute(&mut self, sentence: Sentence, out: &Emitter<OwnedWord>) -> Result {
        let mut rest = std::str::from_utf8(&sentence.text)?;
        while let Some(end) = rest.bytes().position(|byte| byte == b' ') {
            out.emit(OwnedWord { word: rest[..end].to_owned() }).await?;
            rest = &rest[end + 1..];
        }
        out.emit(OwnedWord { word: rest.to_owned() }).await
    }
}

/// Counts words and emits each new count.
#[derive(Clone, Default)]
pub(super) struct CountOwned {
    counts: Keyed<String, u64>,
}

impl Bolt for CountOwned {
    type Input = OwnedWord;
    type Output = Counted;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("counts", &mut self.counts);
    }

    #[inline]
    async fn execute(&mut self, OwnedWord { word }: OwnedWord, out: &Emitter<Counted>) -> Result {
        let count = match self.counts.get_mut(&word) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => {
                self.counts.insert(word.clone(), 1);
                1
            }
        };
        out.emit(Counted { word, count }).await
    }
}

/// Drops counts; what it counts must add up to the words of the sentences.
#[derive(Clone)]
pub(super) struct DropCounts(pub(super) Sum);

impl Bolt for DropCounts {
    type Input = Counted;
    type Output = ();

    #[inline]
    async fn execute(&mut self, counted: Counted, _out: &Emitter<()>) -> Result {
        self.0.count += 1;
        std::hint::black_box((counted.word.len(), counted.count));
        Ok(())
    }
}

impl Checks {
    /// Whether every tuple arrived and was acked once, given how many reach the sink for each.
    pub(super) fn verify(&self, fan_out: u64, acked: bool, sums: bool) -> Result<(), String> {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (emitted, sunk) = (get(&self.emitted), get(&self.sunk));
        if emitted == 0 {
            return Err("nothing was emitted".to_owned());
        }
        if sunk != emitted * fan_out {
            return Err(format!("{emitted} tuples emitted, {sunk} at the sink"));
        }
        if sums && get(&self.sunk_sum) != get(&self.emitted_sum).wrapping_mul(fan_out) {
            return Err("the checksum at the sink is wrong".to_owned());
        }
        let acks = (get(&self.acked), get(&self.acked_sum));
        if acked && acks != (emitted, get(&self.emitted_sum)) {
            return Err(format!("{emitted} tuples emitted, {} acked", acks.0));
        }
        Ok(())
    }
}

/// Words for each sentence.
pub(super) const W3_FAN_OUT: u64 = WORDS;
