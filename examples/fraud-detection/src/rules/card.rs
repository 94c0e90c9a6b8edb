//! What is remembered of a card, and what a transaction is worth.

use serde::{Deserialize, Serialize};

use super::{
    days::{Reported, Told},
    evidence::{Evidence, Rule},
    habit::{Guess, Habit},
    recent::{Recent, fingerprint},
    terminal::{Signs, TINY_CENTS, logs},
    windows::Windows,
};
use crate::{
    source::Limits,
    tx::{Chargeback, Decision, Pass, Place, Tx, Verdict},
};

/// Logarithm of the speed of a card, once the bias of the reader is taken off.
const SPEED: Guess = Guess { mean: 3.74, between: 0.3, within: 0.17 };
/// Logarithm of the jitter.
const JITTER: Guess = Guess { mean: -2.3, between: 0.25, within: 0.3 };
/// Square root of the amount in cents: between the amount, whose large values would rule, and its
/// logarithm, whose small ones would.
const AMOUNT: Guess = Guess { mean: 65.0, between: 30.0, within: 22.0 };

/// Uses that a habit is made of.
const MEMORY: f32 = 60.0;

/// Swipes after which the owner's hand is known.
const HAND_KNOWN: f32 = 5.0;

/// A hand is never steadier, as a share of the speed.
const HAND_JITTER_MIN: f32 = 0.015;

/// Places are known to within this, in km, and nobody is faster than that, in km/h.
const PLACE_KM: f32 = 300.0;
const TRAVEL_KM_H: f32 = 900.0;

/// Terminals that a card remembers.
const TERMINALS: usize = 8;

/// How long tiny amounts are remembered, in seconds.
const TINY_S: i64 = 3_600;

/// How much of the smaller of two reasons for the same thing does not count.
const OVERLAP: f32 = 0.5;

/// Points of an amount by how many standard deviations it lies above what the card pays.
const OWN: &[(f32, f32)] = &[(-1.0, -1.0), (1.0, 0.0), (5.0, 4.0)];

/// Points of an amount by its place among the payments of everybody: 0 is the middle, above 1 is
/// one in 500. In between it is a line.
const LARGE: &[(f32, f32)] =
    &[(-0.4, -0.7), (0.5, 0.0), (0.9, 1.0), (1.0, 4.0), (1.1, 5.0), (1.3, 6.0)];

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
    /// Where chargebacks may come.
    days: Option<Box<Told>>,
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
            days: None,
            recent: Recent::default(),
        }
    }
}

impl Card {
    /// Decides, and remembers. `size` is that of the amount beside what everybody pays, as
    /// [`Crowd`](super::Crowd) tells it. Times beyond the limits are not believed, nor are those
    /// before an earlier use; the card then takes its last time for now.
    pub fn observe(&mut self, tx: &Tx, size: f32, signs: Signs, limits: Limits) -> Decision {
        let fingerprint = fingerprint(&tx.id);
        if let Some(decision) = self.recent.find(fingerprint) {
            return decision;
        }
        let mut evidence = Evidence::default();
        let time = self.clamp(tx.time, limits.time_max, &mut evidence);
        let deviation = tx.pass.map_or(0.0, |pass| self.judge_pass(pass, signs, &mut evidence));
        if signs.overlay > 2.0 {
            // The reader is suspect, and this card felt it too.
            let felt = (deviation / 9.0).min(1.0);
            evidence.add(Rule::Overlay, felt * (1.8 * (signs.overlay - 1.0)).min(7.0));
        }
        self.judge_travel(tx.place, time, &mut evidence);
        self.judge_amount(tx, time, size, signs, &mut evidence);
        let own = Told::pay(&mut self.days, time, limits.hears_chargebacks);
        judge_reports(signs.reported, own, &mut evidence);
        self.judge_velocity(time, tx.cents, &mut evidence);
        let hour = time.rem_euclid(86_400) / 3_600;
        if !(4..22).contains(&hour) {
            evidence.add(Rule::Night, 1.0);
        }
        let decision = evidence.decide();
        self.learn(tx, time, signs, decision.verdict);
        self.recent.keep(fingerprint, decision);
        decision
    }

    /// Counts a payment with this card that was reported as fraud. One that comes twice in short
    /// order counts once.
    pub fn report(&mut self, chargeback: &Chargeback) {
        self.days.get_or_insert_default().report(chargeback);
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
        if self.speed.samples() >= HAND_KNOWN {
            // The owner's own hand speaks for the owner.
            evidence.add(Rule::Speed, -1.5 * (1.0 - sum / 4.0).max(0.0));
        }
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

    fn judge_amount(
        &mut self,
        tx: &Tx,
        time: i64,
        size: f32,
        signs: Signs,
        evidence: &mut Evidence,
    ) {
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
        // For the card and for everybody. Who looks large for both reasons is not twice as
        // suspect: it is the same amount.
        let own = points_at(deviation, OWN);
        let all = points_at(size, LARGE);
        let twice = OVERLAP * own.min(all).max(0.0);
        let [own, all] = if own < all { [own - twice, all] } else { [own, all - twice] };
        evidence.add(Rule::Amount, own);
        evidence.add(Rule::Large, all);
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
        // Before this payment, which has been judged by itself.
        let times = self.windows.sums()[3].saturating_sub(cents) as f32 / usual;
        evidence.add(Rule::Spending, (0.1 * (times - 8.0)).clamp(0.0, 1.5));
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
        let mean = self.amount.mean();
        let amount = amount.min(if approved { 1.6 * mean + 10.0 } else { 1.5 * mean });
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

/// What the owners of cards complained about: here, and of this card.
fn judge_reports(here: Reported, own: Reported, evidence: &mut Evidence) {
    let Reported { reports, payments, log_odds } = here;
    let points = (1.2 * log_odds - 0.5).clamp(0.0, 7.0);
    evidence.add(Rule::TerminalReported { reports, payments }, points);
    let Reported { reports, payments, log_odds } = own;
    let points = (0.6 * log_odds).clamp(0.0, 3.0);
    evidence.add(Rule::CardReported { reports, payments }, points);
}

/// The height of a line through these points, level beyond its ends.
fn points_at(x: f32, line: &[(f32, f32)]) -> f32 {
    let after = line.partition_point(|(at, _)| *at <= x);
    let (Some(left), right) = (line.get(after.max(1) - 1), line.get(after)) else { return 0.0 };
    match right {
        Some(right) if after > 0 => left.1 + (right.1 - left.1) * (x - left.0) / (right.0 - left.0),
        _ => left.1,
    }
}
