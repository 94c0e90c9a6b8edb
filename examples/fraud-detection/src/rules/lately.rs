//! What was unusual of late. One large payment is a large payment; several within two days are a
//! thief who knows that the card works.

use serde::{Deserialize, Serialize};

/// Seconds after which what was unusual counts 1/e of what it did.
const FADES_S: f32 = 2.0 * 86_400.0;

/// Points below which a payment is nothing to remember.
const WORTH: f32 = 1.5;

/// Points that are told at most.
const POINTS_MAX: f32 = 6.0;

/// The unusual payments of one card, each with its points, and fading.
///
/// ```
/// use tormenta_fraud::Lately;
///
/// let mut lately = Lately::default();
/// assert_eq!(lately.points(1_000), 0.0);
/// lately.add(1_000, 4.0);
/// assert_eq!(lately.points(1_000), 2.5);
/// assert!(lately.points(200_000) < 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Lately {
    points: f32,
    /// As of when, in seconds.
    time: i64,
}

impl Lately {
    /// What the payments up to now are worth at this time, which is not before theirs.
    #[must_use]
    pub fn points(&self, time: i64) -> f32 {
        if self.points == 0.0 {
            return 0.0;
        }
        let passed = time.saturating_sub(self.time).max(0) as f32;
        (self.points * (-passed / FADES_S).exp()).min(POINTS_MAX)
    }

    /// Remembers a payment with so many points, if it is worth it.
    pub fn add(&mut self, time: i64, points: f32) {
        if points > WORTH {
            *self = Self { points: self.points(time) + points - WORTH, time };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_adds_up_fades_and_is_bounded() {
        let mut lately = Lately::default();
        lately.add(0, WORTH);
        assert_eq!(lately.points(0), 0.0, "not worth it");
        lately.add(0, 3.5);
        lately.add(0, 2.5);
        assert!((lately.points(0) - 3.0).abs() < 1e-6);
        assert!((lately.points(2 * 86_400) - 3.0 / std::f32::consts::E).abs() < 1e-5);
        assert!(lately.points(i64::MAX) < 1e-6);
        (0..50).for_each(|_| lately.add(9, 8.0));
        assert_eq!(lately.points(9), POINTS_MAX);
    }
}
