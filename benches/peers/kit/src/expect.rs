//! What the sinks must have seen, from nothing but the lengths of the sources.

use std::collections::HashMap;

use crate::events::{Share, key, time, weight};
use crate::request::Workload;
use crate::sentences::{WORDS_PER_SENTENCE, sentences};

/// Tuples and checksum at the sinks after sources emitted 0..n each, for every n in `emitted`.
pub(crate) fn totals(workload: Workload, shares: &[(u64, Share)], aligned: bool) -> (u64, u64) {
    let emitted: Vec<u64> = shares.iter().map(|(n, _)| *n).collect();
    let emitted = &emitted[..];
    match workload {
        Workload::W1 | Workload::W1x => numbers(emitted, |_| 0),
        // `x ^ 1` swaps neighbours, so only an unpaired last number is off, by one.
        Workload::W2 | Workload::W2x => numbers(emitted, |n| n % 2),
        Workload::W3 => words(emitted),
        Workload::W4 => windows(shares, aligned),
    }
}

fn numbers(emitted: &[u64], excess: impl Fn(u64) -> u64) -> (u64, u64) {
    let checksum = emitted
        .iter()
        .map(|&n| up_to(n.saturating_sub(1)).wrapping_add(excess(n)));
    (emitted.iter().sum(), checksum.fold(0, u64::wrapping_add))
}

/// Every event is in the window of its key, once.
fn windows(shares: &[(u64, Share)], aligned: bool) -> (u64, u64) {
    let mut totals = (0, 0u64);
    for (n, share) in shares {
        totals.0 += n;
        for event in (0..*n).map(|n| share.event(n)) {
            let start = if aligned { time(event) } else { 0 };
            totals.1 = totals.1.wrapping_add(weight(key(event), start));
        }
    }
    totals
}

/// A word that came c times was counted 1, 2, .. c.
fn words(emitted: &[u64]) -> (u64, u64) {
    let sentences = sentences();
    let cycle = sentences.len() as u64;
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for (at, sentence) in (0..).zip(sentences) {
        let times: u64 = emitted
            .iter()
            .map(|n| n / cycle + u64::from(at < n % cycle))
            .sum();
        for word in sentence.split(' ') {
            *counts.entry(word).or_default() += times;
        }
    }
    let tuples = emitted.iter().sum::<u64>() * WORDS_PER_SENTENCE as u64;
    (
        tuples,
        counts.into_values().map(up_to).fold(0, u64::wrapping_add),
    )
}

/// 1 + 2 + .. + n, modulo 2^64.
fn up_to(n: u64) -> u64 {
    (u128::from(n) * (u128::from(n) + 1) / 2) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone<const N: usize>(emitted: [u64; N]) -> [(u64, Share); N] {
        emitted.map(|n| (n, Share { index: 0, sources: 1 }))
    }

    #[test]
    fn sources_share_the_events() {
        let half = |index| (1500, Share { index, sources: 2 });
        let whole = totals(Workload::W4, &alone([3000]));
        assert_eq!(totals(Workload::W4, &[half(0), half(1)]), whole);
        assert_eq!(whole.0, 3000);
    }

    #[test]
    fn formulas_agree_with_counting() {
        for n in 0..50 {
            let flipped = (0..n).map(|x| x ^ 1).sum();
            assert_eq!(
                totals(Workload::W1, &alone([n, 3])),
                (n + 3, (0..n).sum::<u64>() + 3)
            );
            assert_eq!(totals(Workload::W2x, &alone([n])), (n, flipped));
        }
    }

    #[test]
    fn words_are_counted_over_all_sources() {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        let mut checksum = 0;
        for n in [2345, 999] {
            for word in sentences()
                .iter()
                .cycle()
                .take(n)
                .flat_map(|s| s.split(' '))
            {
                let count = counts.entry(word).or_default();
                *count += 1;
                checksum += *count;
            }
        }
        assert_eq!(totals(Workload::W3, &alone([2345, 999])), (33_440, checksum));
    }
}
