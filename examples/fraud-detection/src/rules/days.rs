//! Payments, and how many of them were reported as fraud, day by day.
//!
//! A bank hears of a fraud days after it happened, when the owner of the card complains. Until
//! then nothing in a single payment may give a manipulated terminal away; after that its past
//! does.

use serde::{Deserialize, Serialize};

use super::recent::{Recent, fingerprint};
use crate::tx::Chargeback;

/// Days that are remembered.
const DAYS: usize = 30;

/// Lengths of the windows, in days; the first and the last day count whole.
pub const SPANS_DAYS: [usize; 3] = [1, 7, DAYS];

/// Seconds in a day.
const DAY_S: i64 = 86_400;

/// Payments that the belief of a usual share of frauds is worth, and that share.
const GUESS_PAYMENTS: f32 = 4.0;
const GUESS_SHARE: f32 = 0.005;

/// The last thirty days of a terminal or a card. 136 bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Days {
    /// The newest day, counted from 1970.
    day: i64,
    payments: [u16; DAYS],
    reports: [u16; DAYS],
    /// The day of the last report; before it, and long after, there is nothing to add up.
    reported: Option<i64>,
}

/// How many of the payments of the last thirty days were reported as fraud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reported {
    /// Payments that were reported within the last thirty days.
    pub reports: u16,
    /// Payments of the last thirty days.
    pub payments: u16,
    /// By how much the odds of a fraud are larger than usual, as a logarithm: the largest over
    /// the three windows. 0 where nothing was reported.
    pub log_odds: f32,
}

/// The days of a card or a terminal, and the last chargebacks, each of which counts once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    days: Days,
    recent: Recent<()>,
}

impl Told {
    /// Counts a payment, where chargebacks may come.
    pub(super) fn pay(told: &mut Option<Box<Self>>, time: i64, may_come: bool) -> Reported {
        if !may_come {
            return Reported::default();
        }
        told.get_or_insert_default().days.pay(time)
    }

    /// Counts a chargeback. One that comes twice in short order counts once.
    pub(super) fn report(&mut self, chargeback: &Chargeback) {
        let fingerprint = fingerprint(&chargeback.id);
        if self.recent.find(fingerprint).is_none() {
            self.recent.keep(fingerprint, ());
            self.days.report(chargeback.time);
        }
    }
}

impl Days {
    /// Counts a payment at this time, in seconds since 1970, and tells what was reported before.
    pub fn pay(&mut self, time: i64) -> Reported {
        self.advance(time);
        let told = self.reported();
        let today = self.slot(0);
        self.payments[today] = self.payments[today].saturating_add(1);
        told
    }

    /// Counts a report that came at this time.
    pub fn report(&mut self, time: i64) {
        self.advance(time);
        let today = self.slot(0);
        self.reports[today] = self.reports[today].saturating_add(1);
        self.reported = Some(self.day);
    }

    fn reported(&self) -> Reported {
        if self.reported.is_none_or(|reported| self.day - reported >= DAYS as i64) {
            return Reported::default();
        }
        let (mut reports, mut payments, mut log_odds) = (0u16, 0u16, 0f32);
        for age in 0..DAYS {
            let slot = self.slot(age);
            reports = reports.saturating_add(self.reports[slot]);
            payments = payments.saturating_add(self.payments[slot]);
            if SPANS_DAYS.contains(&(age + 1)) {
                log_odds = log_odds.max(log_odds_of(reports, payments));
            }
        }
        // Who reports more than was paid speaks of payments from before these days.
        Reported { reports, payments: payments.max(reports), log_odds }
    }

    /// Lets go of the days that are too old. A time before the newest day counts as that day.
    fn advance(&mut self, time: i64) {
        let day = time.div_euclid(DAY_S);
        let passed = day.saturating_sub(self.day).clamp(0, DAYS as i64) as usize;
        self.day = self.day.max(day);
        for age in 0..passed {
            let slot = self.slot(age);
            (self.payments[slot], self.reports[slot]) = (0, 0);
        }
    }

    /// Where the day of this age is kept.
    fn slot(&self, age: usize) -> usize {
        (self.day - age as i64).rem_euclid(DAYS as i64) as usize
    }
}

/// Log odds of a fraud beside the usual ones. A few payments weigh little.
fn log_odds_of(reports: u16, payments: u16) -> f32 {
    let (reports, payments) = (f32::from(reports), f32::from(payments.max(reports)));
    let share = (reports + GUESS_PAYMENTS * GUESS_SHARE) / (payments + GUESS_PAYMENTS);
    let odds = |share: f32| (share / (1.0 - share)).ln();
    odds(share) - odds(GUESS_SHARE)
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// By looking at all that ever happened.
        fn counts_agree_with_a_naive_count(steps: Vec<(u32, bool)>) -> bool {
            let (mut days, mut log, mut now) = (Days::default(), Vec::new(), 1_500_000_000i64);
            steps.into_iter().all(|(gap, is_report)| {
                now += i64::from(gap % 400_000);
                let day = now / DAY_S;
                if is_report {
                    days.report(now);
                    log.push((day, true));
                    return true;
                }
                let told = days.pay(now);
                let count = |span: i64, wanted: bool| {
                    let inside = |at: i64| at > day - span;
                    log.iter().filter(|(at, is)| inside(*at) && *is == wanted).count() as u16
                };
                let reports = count(30, true);
                let expected = if reports == 0 { Reported::default() } else {
                    let log_odds = SPANS_DAYS.map(|span| {
                        log_odds_of(count(span as i64, true), count(span as i64, false))
                    });
                    let log_odds = log_odds.into_iter().fold(0.0, f32::max);
                    Reported { reports, payments: count(30, false).max(reports), log_odds }
                };
                log.push((day, false));
                told == expected
            })
        }
    }

    #[test]
    fn a_time_that_runs_back_loses_nothing() {
        let mut days = Days::default();
        days.pay(100 * DAY_S);
        days.report(100 * DAY_S);
        assert_eq!(days.pay(DAY_S).reports, 1);
        assert_eq!(days.pay(i64::MAX).reports, 0);
        assert_eq!(days.pay(i64::MIN).reports, 0);
    }

    #[test]
    fn more_reports_weigh_more_and_more_payments_less() {
        assert!(log_odds_of(3, 10) > log_odds_of(2, 10));
        assert!(log_odds_of(2, 10) > log_odds_of(2, 40));
        assert!(log_odds_of(0, 40) < 0.0);
    }
}
