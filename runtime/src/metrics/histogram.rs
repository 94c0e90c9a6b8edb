//! A histogram of durations with a relative error below 1 in 32.

/// Counts durations in buckets whose width grows with the value, as HDR histograms do: 32 buckets
/// for each power of two. Recording is a shift and an add.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

const SUB_BITS: u32 = 5;
const SUB: usize = 1 << SUB_BITS;
/// Values below 2^6 have exact buckets; above, each power of two has 32.
const BUCKETS: usize = SUB * (64 - SUB_BITS as usize + 1);

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, max: 0 }
    }
}

impl Histogram {
    /// Adds `n` values, in nanoseconds.
    #[inline]
    pub fn record(&mut self, value_ns: u64, n: u64) {
        self.counts[bucket(value_ns)] += n;
        self.total += n;
        self.max = self.max.max(value_ns);
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The largest value, exact, in nanoseconds.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The value below or at which the given share of all values lies, in nanoseconds: the upper
    /// end of its bucket, at most the maximum. Zero for an empty histogram.
    #[must_use]
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (self.total as f64 * share.clamp(0.0, 1.0)).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper(index).min(self.max);
            }
        }
        0
    }

    /// Adds all values of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }
}

#[inline]
fn bucket(value: u64) -> usize {
    let exponent = (63 - (value | (SUB as u64 - 1)).leading_zeros()) - (SUB_BITS - 1);
    let sub = (value >> exponent.saturating_sub(1)) as usize;
    if exponent <= 1 { sub } else { (exponent as usize - 1) * SUB + sub }
}

fn upper(index: usize) -> u64 {
    if index < 2 * SUB {
        return index as u64;
    }
    let exponent = index / SUB - 1;
    let sub = (index % SUB + SUB) as u64;
    ((sub + 1) << exponent) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_a_bucket_that_is_close_to_it() {
        let mut value = 0u64;
        while value < u64::MAX / 3 {
            let upper = upper(bucket(value));
            assert!(upper >= value, "{value} in a bucket that ends at {upper}");
            assert!(upper - value <= value / 31 + 1, "{value} in a bucket that ends at {upper}");
            value += value / 8 + 1;
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn quantiles_of_known_values() {
        let mut histogram = Histogram::default();
        for value in 1..=1000 {
            histogram.record(value, 1);
        }
        assert!((500..=516).contains(&histogram.quantile(0.5)));
        assert!((990..=1000).contains(&histogram.quantile(0.99)));
        assert_eq!(histogram.quantile(1.0), 1000);
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }
}
