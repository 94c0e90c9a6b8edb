//! What is remembered of a terminal: the bias of its reader, and who manipulates it.

use serde::{Deserialize, Serialize};

use super::{
    days::{Reported, Told},
    habit::{Guess, Habit},
    recent::{Recent, fingerprint},
};
use crate::{
    source::Limits,
    tx::{Chargeback, Pass, Tx},
};

/// Logarithm of the speed in cm/s, over all cards and readers.
pub(super) const SPEED: Guess = Guess { mean: 3.74, between: 0.07, within: 0.33 };
/// Logarithm of the jitter.
const JITTER: Guess = Guess { mean: -2.3, between: 0.07, within: 0.4 };

/// Swipes that the reader's habit is made of.
const MEMORY: f32 = 500.0;

/// Swipes that are compared with each other and with the habit.
const LATEST: usize = 6;

/// Two cards went at one speed if the logarithms of their speeds differ by less.
const SAME_SPEED: f32 = 0.025;

/// Amounts with which somebody finds out whether a card works, in cents.
pub(super) const TINY_CENTS: u64 = 200;

/// How far apart in time probing is one attack, in seconds.
const PROBING_S: i64 = 600;

/// A reader that deviates by more does not teach us its habit.
const OVERLAY_LEARN_MAX: f32 = 3.0;

/// What a terminal tells about the transaction at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// By how much the reader shows speeds too high, as a logarithm.
    pub bias: f32,
    /// How many of the last cards went through at the speed of this one.
    pub same_speed: u8,
    /// How far the last swipes together lie from the reader's habit towards slow and uneven, in
    /// standard deviations.
    pub overlay: f32,
    /// How many of the latest amounts were tiny, this one included.
    pub tiny: u8,
    /// What was reported of payments here.
    pub reported: Reported,
}

/// One reader, or one shop without.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terminal {
    speed: Habit,
    jitter: Habit,
    /// The latest swipes: card, log speed, log jitter. The newest stands last.
    latest: Vec<(u64, f32, f32)>,
    /// Times of the latest tiny amounts.
    tiny: Vec<i64>,
    time: i64,
    /// Where chargebacks may come.
    days: Option<Box<Told>>,
    recent: Recent<Signs>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            speed: Habit::new(SPEED),
            jitter: Habit::new(JITTER),
            latest: Vec::with_capacity(LATEST),
            tiny: Vec::new(),
            time: i64::MIN,
            days: None,
            recent: Recent::default(),
        }
    }
}

impl Terminal {
    /// Looks at a transaction and remembers it. Times beyond the limits are not believed: the last
    /// time is taken.
    pub fn observe(&mut self, tx: &Tx, limits: Limits) -> Signs {
        let fingerprint = fingerprint(&tx.id);
        if let Some(signs) = self.recent.find(fingerprint) {
            return signs;
        }
        if tx.time <= limits.time_max {
            self.time = self.time.max(tx.time);
        }
        let tiny = self.count_tiny(tx.cents);
        let reported = Told::pay(&mut self.days, self.time, limits.hears_chargebacks);
        let mut signs = Signs { tiny, reported, ..Signs::default() };
        if let Some(pass) = tx.pass {
            self.compare(tx.card, pass, &mut signs);
        }
        self.recent.keep(fingerprint, signs);
        signs
    }

    /// Counts a payment here that was reported as fraud. One that comes twice in short order counts
    /// once.
    pub fn report(&mut self, chargeback: &Chargeback) {
        self.days.get_or_insert_default().report(chargeback);
    }

    fn count_tiny(&mut self, cents: u64) -> u8 {
        let limit = self.time.saturating_sub(PROBING_S);
        self.tiny.retain(|time| *time > limit);
        if cents < TINY_CENTS {
            if self.tiny.len() == usize::from(u8::MAX) {
                self.tiny.remove(0);
            }
            self.tiny.push(self.time);
        }
        self.tiny.len() as u8
    }

    fn compare(&mut self, card: u64, pass: Pass, signs: &mut Signs) {
        let (speed, jitter) = logs(pass);
        // The bias that was known before this swipe, so that a swipe does not explain itself.
        signs.bias = self.speed.mean() - SPEED.mean;
        let same =
            |(other, at, _): &&(u64, f32, f32)| *other != card && (at - speed).abs() < SAME_SPEED;
        signs.same_speed = self.latest.iter().filter(same).count() as u8;
        if self.latest.len() == LATEST {
            self.latest.remove(0);
        }
        self.latest.push((card, speed, jitter));
        signs.overlay = self.overlay();
        if signs.overlay < OVERLAY_LEARN_MAX {
            self.speed.learn(speed, SPEED, MEMORY);
            self.jitter.learn(jitter, JITTER, MEMORY);
        }
    }

    /// What is fitted to a reader slows the cards down and makes them jump. One swipe tells
    /// nothing, because people differ; several together do.
    fn overlay(&self) -> f32 {
        let deviation = |habit: &Habit, guess, value: fn(&(u64, f32, f32)) -> f32| {
            let sum: f32 = self.latest.iter().map(|l| habit.deviation(value(l), guess)).sum();
            sum / (self.latest.len() as f32).sqrt()
        };
        let slow = -deviation(&self.speed, SPEED, |latest| latest.1);
        let uneven = deviation(&self.jitter, JITTER, |latest| latest.2);
        (slow + uneven) / std::f32::consts::SQRT_2
    }
}

/// Logarithms of speed and jitter, within what a reader can tell.
pub(super) fn logs(pass: Pass) -> (f32, f32) {
    (pass.cm_s.clamp(1.0, 1_000.0).ln(), pass.jitter.clamp(1e-4, 10.0).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swipe(n: u64, cm_s: f32, jitter: f32) -> Tx {
        let pass = Some(Pass { cm_s, jitter });
        let time = 60 * n as i64;
        let id = n.to_string().into();
        Tx { id, card: n, terminal: 1, cents: 2_000, category: None, time, place: None, pass }
    }

    /// Speeds that vary as those of people do.
    fn people(n: u64) -> Tx {
        let turn = (n * 7 % 11) as f32 / 11.0 - 0.45;
        swipe(n, 46.0 * (0.9 * turn).exp(), 0.1 * (0.9 * -turn).exp())
    }

    #[test]
    fn a_rig_is_seen_by_its_speed() {
        let mut terminal = Terminal::default();
        let before =
            (0..200).map(|n| terminal.observe(&people(n), Limits::default()).same_speed).max();
        assert!(before <= Some(2), "{before:?}");
        let rig = (200..206)
            .map(|n| terminal.observe(&swipe(n, 60.0, 0.1), Limits::default()).same_speed)
            .max();
        assert!(rig >= Some(5), "{rig:?}");
    }

    #[test]
    fn an_overlay_is_seen_and_not_learned() {
        let mut terminal = Terminal::default();
        for n in 0..300 {
            terminal.observe(&people(n), Limits::default());
        }
        let mut signs = Signs::default();
        for n in 300..500 {
            let Some(pass) = people(n).pass else { continue };
            signs =
                terminal.observe(&swipe(n, pass.cm_s * 0.6, pass.jitter * 2.5), Limits::default());
            assert!(n < 305 || signs.overlay > 3.0, "{n}: {signs:?}");
        }
        assert!(signs.bias.abs() < 0.15, "{signs:?}");
    }

    #[test]
    fn a_replay_changes_nothing() {
        let (mut once, mut twice) = (Terminal::default(), Terminal::default());
        for n in 0..100 {
            let (tx, signs) = (people(n), once.observe(&people(n), Limits::default()));
            let mut again = || twice.observe(&tx, Limits::default());
            assert_eq!((again(), again()), (signs, signs));
        }
    }
}
