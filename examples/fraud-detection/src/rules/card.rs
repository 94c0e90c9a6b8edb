//! What is remembered of a card, and what a transaction is worth.

use serde::{Deserialize, Serialize};

use super::{
    evidence::{Evidence, Rule},
    habit::{Guess, Habit},
    recent::{Recent, fingerprint},
    terminal::{Signs, TINY_CENTS, logs},
    windows::Windows,
};
use crate::tx::{Decision, Pass, Place, Tx, Verdict};

/// Logarithm of the speed of a card, once the bias of the reader is taken off.
const SPEED: Guess = Guess { mean: 3.74, between: 0.3, within: 0.17 };
/// Logarithm of the jitter.
const JITTER: Guess = Guess { mean: -2.3, between: 0.25, within: 0.3 };
/// Square root of the amount in cents: between the amount, whose large values would rule, and its
/// logarithm, whose small ones would.
const AMOUNT: Guess = Guess { mean: 65.0, between: 30.0, within: 22.0 };

/// Uses that a habit is made of.
const MEMORY: f32 = 60.0;

/// A hand is never steadier, as a share of the speed.
const HAND_JITTER_MIN: f32 = 0.015;

/// Places are known to within this, in km, and nobody is faster than that, in km/h.
const PLACE_KM: f32 = 300.0;
const TRAVEL_KM_H: f32 = 900.0;

/// Terminals that a card remembers.
const TERMINALS: usize = 8;

/// How long tiny amounts are remembered, in seconds.
const TINY_S: i64 = 3_600;

/// A large amount for anybody, in cents.
const LARGE_CENTS: f32 = 20_000.0;

/// One card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Card {
    speed: Habit,
    jitter: Habit,
    amount: Habit,
    windows: Windows,
    /// The last place that was believed, and when.
    seen_at: Option<(Place, i64)>,
    terminals: Vec<u64>,
    /// When the last tiny amounts were, and how many came within the hour before.
    tiny: (i64, u8),
    time: Option<i64>,
    recent: Recent<Decision>,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            speed: Habit::new(SPEED),
            jitter: Habit::new(JITTER),
            amount: Habit::new(AMOUNT),
            windows: Windows::default(),
            seen_at: None,
            terminals: Vec::new(),
            tiny: (0, 0),
            time: None,
            recent: Recent::default(),
        }
    }
}

impl Card {
    /// Decides, and remembers. Times after `time_max`, in seconds since 1970, are not believed,
    /// nor are those before an earlier use; the card then takes its last time for now.
    pub fn observe(&mut self, tx: &Tx, signs: Signs, time_max: i64) -> Decision {
        let fingerprint = fingerprint(&tx.id);
        if let Some(decision) = self.recent.find(fingerprint) {
            return decision;
        }
        let mut evidence = Evidence::default();
        let time = self.clamp(tx.time, time_max, &mut evidence);
        let deviation = tx.pass.map_or(0.0, |pass| self.judge_pass(pass, signs, &mut evidence));
        if signs.overlay > 2.0 {
            // The reader is suspect, and this card felt it too.
            let felt = (deviation / 9.0).min(1.0);
            evidence.add(Rule::Overlay, felt * (1.8 * (signs.overlay - 1.0)).min(7.0));
        }
        self.judge_travel(tx.place, time, &mut evidence);
        self.judge_amount(tx, time, signs, &mut evidence);
        self.judge_velocity(time, tx.cents, &mut evidence);
        let hour = time.rem_euclid(86_400) / 3_600;
        if !(4..22).contains(&hour) {
            evidence.add(Rule::Night, 0.5);
        }
        let decision = evidence.decide();
        self.learn(tx, time, signs, decision.verdict);
        self.recent.keep(fingerprint, decision);
        decision
    }

    fn clamp(&mut self, claimed: i64, time_max: i64, evidence: &mut Evidence) -> i64 {
        let time = match self.time {
            Some(last) if claimed < last => {
                evidence.add(Rule::Backwards, 0.5);
                last
            }
            last if claimed > time_max => {
                evidence.add(Rule::Future, 2.0);
                last.unwrap_or(time_max)
            }
            _ => claimed,
        };
        self.time = Some(time);
        time
    }

    /// Whose hand it was. Returns how far it lies from the owner's, as a sum of squares.
    fn judge_pass(&self, pass: Pass, signs: Signs, evidence: &mut Evidence) -> f32 {
        let (speed, jitter) = logs(pass);
        let speed = self.speed.deviation(speed - signs.bias, SPEED);
        let unsteady = self.jitter.deviation(jitter, JITTER).max(0.0);
        let (by_speed, by_jitter) = (speed * speed, unsteady * unsteady);
        let sum = by_speed + by_jitter;
        if sum > 6.0 {
            let points = ((sum - 6.0) / 2.0).min(8.0);
            evidence.add(Rule::Speed, points * by_speed / sum);
            evidence.add(Rule::Unsteady, points * by_jitter / sum);
        }
        if pass.jitter < HAND_JITTER_MIN {
            evidence.add(Rule::Machine, 6.0);
        }
        let rig = [0.0, 0.2, 1.0, 2.5, 5.0, 6.5, 6.5];
        evidence.add(Rule::Rig, rig[usize::from(signs.same_speed).min(6)]);
        sum
    }

    fn judge_travel(&self, place: Option<Place>, time: i64, evidence: &mut Evidence) {
        let (Some(here), Some((there, at))) = (place, self.seen_at) else { return };
        let hours = (time.saturating_sub(at)).max(60) as f32 / 3_600.0;
        let km_h = (here.km_to(there) - PLACE_KM) / hours;
        if km_h > TRAVEL_KM_H {
            evidence.add(Rule::Travel, (4.0 + km_h / TRAVEL_KM_H).min(8.0));
        }
    }

    fn judge_amount(&mut self, tx: &Tx, time: i64, signs: Signs, evidence: &mut Evidence) {
        let is_new = !self.terminals.contains(&tx.terminal);
        let is_tiny = tx.cents < TINY_CENTS;
        if is_new && self.terminals.len() == TERMINALS {
            evidence.add(Rule::NewTerminal, 0.3);
        }
        if time - self.tiny.0 > TINY_S {
            self.tiny.1 = 0;
        }
        if is_tiny {
            let probing = [0.0, 0.5, 2.5, 4.5, 6.0];
            evidence.add(Rule::Probing, probing[usize::from(signs.tiny).min(4)]);
            evidence.add(Rule::Tiny, (2.0 * f32::from(self.tiny.1)).min(5.0));
            self.tiny = (time, self.tiny.1.saturating_add(1));
            return;
        }
        let deviation = self.amount.deviation((tx.cents as f32).sqrt(), AMOUNT);
        evidence.add(Rule::Amount, (0.9 * (deviation - 1.0)).clamp(-0.5, 4.5));
        let times = tx.cents as f32 / LARGE_CENTS;
        evidence.add(Rule::Large, (1.5 * times.max(0.05).ln()).clamp(-1.5, 2.0));
        if self.tiny.1 > 0 && deviation > 1.0 {
            evidence.add(Rule::SmallThenLarge, 4.0 + f32::from(self.tiny.1.min(3)));
        }
    }

    fn judge_velocity(&mut self, time: i64, cents: u64, evidence: &mut Evidence) {
        self.windows.add(time, cents);
        let per_use = [(2, 1.2), (3, 0.8), (5, 0.5), (20, 0.2)];
        let counts = self.windows.counts();
        let points = per_use.iter().zip(counts);
        let points =
            points.map(|((usual, each), count)| each * count.saturating_sub(*usual) as f32);
        evidence.add(Rule::Velocity, points.fold(0.0, f32::max).min(4.0));
        let usual = self.amount.mean().powi(2).max(1_000.0);
        let times = self.windows.sums()[3] as f32 / usual;
        evidence.add(Rule::Spending, (0.1 * (times - 12.0)).clamp(0.0, 1.5));
    }

    /// What was not believed does not teach us the owner's habits; what was challenged may have
    /// been the owner, and teaches a little.
    fn learn(&mut self, tx: &Tx, time: i64, signs: Signs, verdict: Verdict) {
        if verdict == Verdict::Decline {
            return;
        }
        let approved = verdict == Verdict::Approve;
        if let Some(pass) = tx.pass.filter(|_| approved) {
            let (speed, jitter) = logs(pass);
            self.speed.learn(speed - signs.bias, SPEED, MEMORY);
            self.jitter.learn(jitter, JITTER, MEMORY);
        }
        let amount = (tx.cents as f32).sqrt();
        let amount = if approved { amount } else { amount.min(1.5 * self.amount.mean()) };
        self.amount.learn(amount, AMOUNT, MEMORY);
        if let Some(place) = tx.place.filter(|_| approved) {
            self.seen_at = Some((place, time));
        }
        if approved && !self.terminals.contains(&tx.terminal) {
            if self.terminals.len() == TERMINALS {
                self.terminals.remove(0);
            }
            self.terminals.push(tx.terminal);
        }
    }
}
