//! Evidence, and how it becomes a decision.
//!
//! A score is a sum of weighted evidence, as a person would add it up: each rule gives points in
//! log odds, the sum says how likely a fraud is, and the largest parts of it are the reasons.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::tx::{Decision, Verdict};

/// What speaks for a fraud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// The speed of the swipe is not the owner's.
    Speed,
    /// The hand was less steady than the owner's.
    Unsteady,
    /// No hand is that steady.
    Machine,
    /// Several cards went through this reader at one and the same speed.
    Rig,
    /// Cards go through this reader as if something were in their way.
    Overlay,
    /// Nobody travels that fast.
    Travel,
    /// Used very often within a short time.
    Velocity,
    /// Much was spent within a day.
    Spending,
    /// More than this card usually pays.
    Amount,
    /// A large amount beside what everybody pays.
    Large,
    /// A large amount beside what is paid for this kind of goods.
    LargeHere,
    /// A small amount beside what is paid for this kind of goods.
    SmallHere,
    /// Unusual payments with this card within the last days.
    Lately,
    /// Small amounts, then a large one.
    SmallThenLarge,
    /// Somebody tries cards with tiny amounts at this terminal.
    Probing,
    /// Tiny amounts, one after the other.
    Tiny,
    /// A terminal where this card never was.
    NewTerminal,
    /// At night.
    Night,
    /// Its time lies before that of an earlier use.
    Backwards,
    /// Its time lies in the future.
    Future,
    /// Payments at this terminal were reported as fraud.
    TerminalReported {
        /// So many.
        reports: u16,
        /// Of so many of the last thirty days.
        payments: u16,
    },
    /// Payments with this card were reported as fraud.
    CardReported {
        /// So many.
        reports: u16,
        /// Of so many of the last thirty days.
        payments: u16,
    },
}

impl Rule {
    /// The rule in words.
    ///
    /// ```
    /// use tormenta_fraud::Rule;
    ///
    /// let rule = Rule::CardReported { reports: 1, payments: 40 };
    /// assert_eq!(rule.words(), "1 of the last 40 payments with this card was reported as fraud");
    /// ```
    #[must_use]
    pub fn words(self) -> Cow<'static, str> {
        let (reports, payments, of) = match self {
            Self::TerminalReported { reports, payments } => (reports, payments, "at this terminal"),
            Self::CardReported { reports, payments } => (reports, payments, "with this card"),
            _ => return Cow::Borrowed(self.fixed_words()),
        };
        let were = if reports == 1 { "was" } else { "were" };
        let text =
            format!("{reports} of the last {payments} payments {of} {were} reported as fraud");
        Cow::Owned(text)
    }

    fn fixed_words(self) -> &'static str {
        match self {
            Self::Speed => "the card was swiped at a speed that is not its owner's",
            Self::Unsteady => "the hand was far less steady than the owner's",
            Self::Machine => "the card moved more evenly than any hand can move it",
            Self::Rig => "several cards passed this reader at one and the same speed",
            Self::Overlay => "cards pass this reader as if something had been fitted to it",
            Self::Travel => "nobody travels that far in so short a time",
            Self::Velocity => "the card was used very often within a short time",
            Self::Spending => "much was spent with this card within a day",
            Self::Amount => "the amount is above what this card usually pays",
            Self::Large => "hardly anybody pays so large an amount",
            Self::LargeHere => "hardly anybody pays so large an amount for goods of this kind",
            Self::SmallHere => "hardly anybody pays so small an amount for goods of this kind",
            Self::Lately => "unusual payments were made with this card within the last days",
            Self::SmallThenLarge => "a large amount follows very small ones",
            Self::Probing => "somebody is trying cards with tiny amounts at this terminal",
            Self::Tiny => "tiny amounts follow each other",
            Self::NewTerminal => "the card was never used at this terminal",
            Self::Night => "it is night",
            Self::Backwards => "its time lies before an earlier use of the card",
            Self::Future => "its time lies in the future",
            Self::TerminalReported { .. } | Self::CardReported { .. } => "it was reported as fraud",
        }
    }
}

/// The three rules that spoke most, the loudest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reasons([Option<(Rule, f32)>; 3]);

impl Reasons {
    /// The rules and their points.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, f32)> {
        self.0.into_iter().flatten()
    }
}

/// Log odds of a fraud when nothing speaks for it.
const PRIOR: f32 = -5.0;

/// Points below this are no reason worth telling.
const REASON_MIN: f32 = 0.3;

/// Scores from which on the merchant is told something else, in hundredths of a percent.
const CHALLENGE: u16 = 5_000;
const DECLINE: u16 = 9_000;

/// Points that were collected for one transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    sum: f32,
    top: Reasons,
}

impl Evidence {
    /// Adds the points of a rule, which speaks at most once.
    pub fn add(&mut self, rule: Rule, points: f32) {
        self.sum += points;
        if points < REASON_MIN {
            return;
        }
        let mut candidate = (rule, points);
        for place in &mut self.top.0 {
            match place {
                Some(known) if known.1 >= candidate.1 => {}
                Some(known) => std::mem::swap(known, &mut candidate),
                None => {
                    *place = Some(candidate);
                    return;
                }
            }
        }
    }

    /// The decision.
    ///
    /// ```
    /// use tormenta_fraud::{Evidence, Rule, Verdict};
    ///
    /// let mut evidence = Evidence::default();
    /// assert_eq!(evidence.decide().verdict, Verdict::Approve);
    /// evidence.add(Rule::Travel, 6.0);
    /// assert_eq!(evidence.decide().verdict, Verdict::Challenge);
    /// ```
    #[must_use]
    pub fn decide(&self) -> Decision {
        let odds = f64::from(PRIOR + self.sum);
        let score = (10_000.0 / (1.0 + (-odds).exp())).round() as u16;
        let verdict = match score {
            0..CHALLENGE => Verdict::Approve,
            CHALLENGE..DECLINE => Verdict::Challenge,
            DECLINE.. => Verdict::Decline,
        };
        Decision { verdict, score, reasons: self.top }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn the_loudest_three_are_the_reasons(points: Vec<u8>) -> bool {
            const RULES: [Rule; 6] = [
                Rule::Speed, Rule::Rig, Rule::Travel, Rule::Amount, Rule::Tiny, Rule::Night,
            ];
            let given: Vec<_> =
                RULES.into_iter().zip(points.into_iter().map(|p| f32::from(p) / 64.0)).collect();
            let mut evidence = Evidence::default();
            given.iter().for_each(|(rule, points)| evidence.add(*rule, *points));
            let mut expected: Vec<_> = given.into_iter().filter(|g| g.1 >= REASON_MIN).collect();
            expected.sort_by(|a, b| b.1.total_cmp(&a.1));
            expected.truncate(3);
            evidence.decide().reasons.iter().map(|r| r.1).eq(expected.iter().map(|e| e.1))
        }

        fn more_evidence_is_no_lower_score(a: u8, b: u8) -> bool {
            let score = |points: u8| {
                let mut evidence = Evidence::default();
                evidence.add(Rule::Speed, f32::from(points) / 8.0);
                evidence.decide().score
            };
            (a <= b) == (score(a) <= score(b)) || score(a) == score(b)
        }
    }
}
