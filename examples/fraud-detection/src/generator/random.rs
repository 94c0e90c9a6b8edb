//! Random numbers from a seed: the same on every machine and in every version.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// From `low` to below `high`.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low)
    }

    /// From 0 to below 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    pub(super) fn chance(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// The normal distribution, as a sum of eight uniform ones: its tails end at 4.9, which for
    /// people's hands is a virtue, and it costs two draws.
    pub(super) fn normal(&mut self) -> f32 {
        let (a, b) = (self.next(), self.next());
        let parts = [a, a >> 16, a >> 32, a >> 48, b, b >> 16, b >> 32, b >> 48];
        let sum: u64 = parts.iter().map(|part| part & 0xffff).sum();
        (sum as f32 / 65_536.0 - 4.0) * 1.224_745
    }

    /// A number whose logarithm is normal around that of `middle`.
    pub(super) fn log_normal(&mut self, middle: f32, spread: f32) -> f32 {
        middle * (spread * self.normal()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_are_normal() {
        let mut random = Random::new(1);
        let numbers: Vec<f32> = (0..100_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f32>() / numbers.len() as f32;
        let square = numbers.iter().map(|n| n * n).sum::<f32>() / numbers.len() as f32;
        assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 0.02, "{mean} {square}");
        let beyond = numbers.iter().filter(|n| n.abs() > 2.0).count();
        assert!((4_000..5_100).contains(&beyond), "{beyond}");
    }
}
