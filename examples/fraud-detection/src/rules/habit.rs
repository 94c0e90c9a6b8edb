//! The habit of somebody or something: mean and spread of a number, from few samples on.

use serde::{Deserialize, Serialize};

/// An exponentially weighted mean and variance that starts from a guess.
///
/// The guess counts as some samples, so that the second swipe of a card is not measured against
/// the first one alone.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Habit {
    mean: f32,
    variance: f32,
    samples: f32,
}

/// A guess: what is believed before anything was seen.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    /// Mean over everybody.
    pub mean: f32,
    /// Spread of the means of different people.
    pub between: f32,
    /// Spread of one and the same.
    pub within: f32,
}

/// Samples that the guess of the spread is worth.
const GUESS_SAMPLES: f32 = 6.0;

impl Habit {
    /// A habit of which nothing was seen.
    #[must_use]
    pub const fn new(guess: Guess) -> Self {
        Self { mean: guess.mean, variance: guess.within * guess.within, samples: 0.0 }
    }

    /// How many standard deviations the value lies from what is expected.
    #[must_use]
    pub fn deviation(&self, value: f32, guess: Guess) -> f32 {
        // The mean itself is known the less, the fewer samples there were.
        let of_mean = self.variance / (self.samples + self.variance / guess.between.powi(2));
        (value - self.mean) / (self.variance + of_mean).sqrt()
    }

    /// Learns a value; the last `memory` of them count.
    pub fn learn(&mut self, value: f32, guess: Guess, memory: f32) {
        self.samples = (self.samples + 1.0).min(memory);
        // What the guess of the mean is worth, in samples.
        let worth = (guess.within / guess.between).powi(2);
        let off = value - self.mean;
        let step = off / (self.samples + worth);
        self.mean += step;
        let square = off * (off - step);
        self.variance += (square - self.variance) / (self.samples + GUESS_SAMPLES);
        self.variance = self.variance.max((guess.within / 3.0).powi(2));
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f32 {
        self.mean
    }

    /// Samples that count.
    #[must_use]
    pub fn samples(&self) -> f32 {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUESS: Guess = Guess { mean: 1.0, between: 0.5, within: 0.2 };

    #[test]
    fn nothing_seen_is_measured_against_everybody() {
        let habit = Habit::new(GUESS);
        let all = (0.5f32 * 0.5 + 0.2 * 0.2).sqrt();
        assert!((habit.deviation(2.0, GUESS) - 1.0 / all).abs() < 1e-3);
    }

    #[test]
    fn a_habit_is_learned() {
        let mut habit = Habit::new(GUESS);
        for n in 0..1_000 {
            let value = 3.0 + if n % 2 == 0 { 0.3 } else { -0.3 };
            habit.learn(value, GUESS, 100.0);
        }
        assert!((habit.mean() - 3.0).abs() < 0.02, "{habit:?}");
        assert!((habit.deviation(3.6, GUESS) - 2.0).abs() < 0.15, "{habit:?}");
    }

    #[test]
    fn who_never_varies_is_still_allowed_a_little() {
        let mut habit = Habit::new(GUESS);
        (0..1_000).for_each(|_| habit.learn(3.0, GUESS, 50.0));
        assert!(habit.deviation(3.1, GUESS) < 2.0);
    }
}
