//! What was decided, counted; and how well, where somebody knows the truth.

use std::collections::BTreeMap;

use serde::Serialize;
use tormenta::Histogram;

use crate::{
    generator::Kind,
    tx::{Decision, Truth, Verdict},
};

/// Scores are numbers from 0 to this.
const SCORE_MAX: usize = 10_000;

/// Counts decisions. Of bounded size, whatever the stream.
#[derive(Clone, Debug)]
pub struct Tally {
    verdicts: [u64; 3],
    kinds: BTreeMap<Kind, Counts>,
    genuine: Counts,
    /// Genuine and fraudulent transactions by score.
    scores: Vec<[u64; 2]>,
    /// From when a transaction was due to when its decision was final.
    pub latency: Histogram,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    all: u64,
    stopped: u64,
}

/// How well one kind of fraud is found.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Quality {
    /// Frauds of this kind.
    pub frauds: u64,
    /// Of what was not approved and is either genuine or of this kind, the share of this kind.
    pub precision: f64,
    /// Of the frauds of this kind, the share that was not approved.
    pub recall: f64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            verdicts: [0; 3],
            kinds: BTreeMap::new(),
            genuine: Counts::default(),
            scores: vec![[0; 2]; SCORE_MAX + 1],
            latency: Histogram::default(),
        }
    }
}

impl Tally {
    /// Counts a decision.
    pub fn add(&mut self, decision: &Decision, truth: Truth) {
        self.verdicts[decision.verdict as usize] += 1;
        let stopped = u64::from(decision.verdict != Verdict::Approve);
        let counts = match truth {
            Truth::Unknown => return,
            Truth::Genuine => &mut self.genuine,
            Truth::Fraud(kind) => self.kinds.entry(kind).or_default(),
        };
        counts.all += 1;
        counts.stopped += stopped;
        let is_fraud = usize::from(truth != Truth::Genuine);
        self.scores[usize::from(decision.score).min(SCORE_MAX)][is_fraud] += 1;
    }

    /// Decisions with this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts[verdict as usize]
    }

    /// All decisions.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.verdicts.iter().sum()
    }

    /// Share of the genuine transactions that were not approved, where there are any.
    #[must_use]
    pub fn false_positives(&self) -> Option<f64> {
        (self.genuine.all > 0).then(|| self.genuine.stopped as f64 / self.genuine.all as f64)
    }

    /// Area under the ROC curve: how likely it is that a fraud scores higher than a genuine
    /// transaction, where equal scores count half. `None` where one of the two is missing.
    #[must_use]
    pub fn auc(&self) -> Option<f64> {
        let (mut below, mut area) = (0u128, 0u128);
        let (mut genuine, mut frauds) = (0u128, 0u128);
        for [good, bad] in &self.scores {
            let (good, bad) = (u128::from(*good), u128::from(*bad));
            area += bad * (2 * below + good);
            below += good;
            genuine += good;
            frauds += bad;
        }
        let pairs = 2 * genuine * frauds;
        (pairs > 0).then(|| area as f64 / pairs as f64)
    }

    /// How well each kind of fraud is found.
    #[must_use]
    pub fn per_kind(&self) -> BTreeMap<Kind, Quality> {
        let quality = |counts: &Counts| {
            let stopped = counts.stopped + self.genuine.stopped;
            Quality {
                frauds: counts.all,
                precision: counts.stopped as f64 / stopped.max(1) as f64,
                recall: counts.stopped as f64 / counts.all.max(1) as f64,
            }
        };
        self.kinds.iter().map(|(kind, counts)| (*kind, quality(counts))).collect()
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::rules::Reasons;

    fn decision(score: u16) -> Decision {
        Decision { verdict: Verdict::Approve, score, reasons: Reasons::default() }
    }

    quickcheck! {
        /// By comparing every fraud with every genuine transaction.
        fn the_area_is_what_it_says(scores: Vec<(u8, bool)>) -> bool {
            let mut tally = Tally::default();
            for (score, is_fraud) in &scores {
                let truth = if *is_fraud { Truth::Fraud(Kind::Other) } else { Truth::Genuine };
                tally.add(&decision(u16::from(*score)), truth);
            }
            let of = |fraud| scores.iter().filter(move |s| s.1 == fraud).map(|s| s.0);
            let pairs = of(true).flat_map(|bad| of(false).map(move |good| (bad, good)));
            let half = |(bad, good)| 1 + u64::from(bad > good) - u64::from(bad < good);
            let halves: Vec<u64> = pairs.map(half).collect();
            let naive = (!halves.is_empty())
                .then(|| halves.iter().sum::<u64>() as f64 / (2 * halves.len()) as f64);
            match (naive, tally.auc()) {
                (Some(naive), Some(auc)) => (naive - auc).abs() < 1e-9,
                (naive, auc) => naive == auc,
            }
        }
    }
}
