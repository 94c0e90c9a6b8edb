//! What is remembered of a card, and the order in which a transaction is judged by it.
//!
//! [`Card::observe`] is the story; what each sign is worth stands in [`worth`].

use serde::{Deserialize, Serialize};

use super::{
    crowd::Size,
    days::Told,
    evidence::{Evidence, Rule},
    habit::{Guess, Habit},
    lately::Lately,
    recent::{Recent, fingerprint},
    terminal::{Signs, TINY_CENTS, logs},
    windows::Windows,
    worth,
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
    lately: Lately,
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
            lately: Lately::default(),
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
    pub fn observe(&mut self, tx: &Tx, size: Size, signs: Signs, limits: Limits) -> Decision {
        let fingerprint = fingerprint(&tx.id);
        if let Some(decision) = self.recent.find(fingerprint) {
            return decision;
        }
        let mut evidence = Evidence::default();
        let time = self.clamp(tx.time, limits.time_max, &mut evidence);
        // The hand.
        let doubt = tx.pass.map_or(1.0, |pass| self.judge_pass(pass, signs, &mut evidence));
        // The place, the amount and the hour.
        self.judge_travel(tx.place, time, &mut evidence);
        let unusual = self.judge_amount(tx, time, size, signs, doubt, &mut evidence);
        let night = worth::hour(time, &mut evidence);
        // The past of the card, and what was heard of it and of the terminal.
        worth::lately(self.lately.points(time), unusual, &mut evidence);
        self.lately.add(time, unusual + night);
        let own = Told::pay(&mut self.days, time, limits.hears_chargebacks);
        worth::reports(signs.reported, own, &mut evidence);
        self.judge_velocity(time, tx.cents, &mut evidence);
        // What all that makes together, and what is to be learned of it.
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

    /// Whose hand it was. Returns how much a large amount is to be doubted: less if it was the
    /// owner's.
    fn judge_pass(&self, pass: Pass, signs: Signs, evidence: &mut Evidence) -> f32 {
        let (speed, jitter) = logs(pass);
        let speed = self.speed.deviation(speed - signs.bias, SPEED);
        let unsteady = self.jitter.deviation(jitter, JITTER).max(0.0);
        let (by_speed, by_jitter) = (speed * speed, unsteady * unsteady);
        let off = by_speed + by_jitter;
        let is_known = self.speed.samples() >= HAND_KNOWN;
        let doubt = if is_known { worth::own_hand(off, evidence) } else { 1.0 };
        worth::other_hand(by_speed, by_jitter, evidence);
        if pass.jitter < HAND_JITTER_MIN {
            evidence.add(Rule::Machine, 6.0);
        }
        let rig = [0.0, 0.2, 1.0, 2.5, 5.0, 6.5, 6.5];
        evidence.add(Rule::Rig, rig[usize::from(signs.same_speed).min(6)]);
        if signs.overlay > 2.0 {
            // The reader is suspect, and this card felt it too.
            let felt = (off / 9.0).min(1.0);
            evidence.add(Rule::Overlay, felt * (1.8 * (signs.overlay - 1.0)).min(7.0));
        }
        doubt
    }

    fn judge_travel(&self, place: Option<Place>, time: i64, evidence: &mut Evidence) {
        let (Some(here), Some((there, at))) = (place, self.seen_at) else { return };
        let hours = (time.saturating_sub(at)).max(60) as f32 / 3_600.0;
        let km_h = (here.km_to(there) - PLACE_KM) / hours;
        if km_h > TRAVEL_KM_H {
            evidence.add(Rule::Travel, (4.0 + km_h / TRAVEL_KM_H).min(8.0));
        }
    }

    /// Judges an amount. Returns the points that it gave for being unusual.
    fn judge_amount(
        &mut self,
        tx: &Tx,
        time: i64,
        size: Size,
        signs: Signs,
        doubt: f32,
        evidence: &mut Evidence,
    ) -> f32 {
        let is_new = !self.terminals.contains(&tx.terminal);
        if is_new && self.terminals.len() == TERMINALS {
            evidence.add(Rule::NewTerminal, 0.3);
        }
        if time - self.tiny.0 > TINY_S {
            self.tiny.1 = 0;
        }
        let is_usual_here = size.rarity.is_some_and(|rarity| rarity > -worth::RARE);
        if tx.cents < TINY_CENTS && !is_usual_here {
            let probing = [0.0, 0.5, 2.5, 4.5, 6.0];
            evidence.add(Rule::Probing, probing[usize::from(signs.tiny).min(4)]);
            evidence.add(Rule::Tiny, (2.0 * f32::from(self.tiny.1)).min(5.0));
            self.tiny = (time, self.tiny.1.saturating_add(1));
            return 0.0;
        }
        let deviation = self.amount.deviation((tx.cents as f32).sqrt(), AMOUNT);
        let is_large = size.rarity.map_or(deviation > 1.0, |rarity| rarity > worth::RARE);
        if self.tiny.1 > 0 && is_large {
            evidence.add(Rule::SmallThenLarge, 4.0 + f32::from(self.tiny.1.min(3)));
        }
        match size.rarity {
            Some(rarity) => worth::goods(rarity, evidence),
            None => worth::size(deviation, size.place, doubt, evidence),
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
