//! What each sign is worth, in log odds. Pure: what is remembered is none of its business.
//!
//! Points were set by hand: on seeds of the generator below ten, on two public data sets, and by
//! what a person would say. The example `known_data` shows how they do on cards that nobody looked
//! at, and the tests how they do on other seeds.
//!
//! A point is a factor of 2.7 to the odds. It takes five of them to be challenged.

use super::{
    days::Reported,
    evidence::{Evidence, Rule},
};

/// Points that the owner's own hand takes off, and the share of those of a large amount.
const OWN_HAND: f32 = 1.5;
const OWN_HAND_EXCUSES: f32 = 0.7;

/// How far a hand may be from the owner's to be taken for it, as a sum of squares, and from there
/// on, how much further until it is not at all.
const HAND_OWN: f32 = 4.0;
const HAND_OWN_FADES: f32 = 8.0;

/// From where on a hand is another one, and points of that at most.
const HAND_OTHER: f32 = 6.0;
const HAND_OTHER_MAX: f32 = 8.0;

/// How much of the smaller of two reasons for the same thing does not count.
const OVERLAP: f32 = 0.5;

/// Points of an amount by how many standard deviations it lies above what the card pays.
const OWN: &[(f32, f32)] = &[(-1.0, -1.0), (1.0, 0.0), (5.0, 4.0)];

/// Points of an amount by its place among the payments of everybody: 0 is the middle, above 1 is
/// one in 500. In between it is a line.
const LARGE: &[(f32, f32)] =
    &[(-0.4, -0.7), (0.5, 0.0), (0.9, 1.0), (1.0, 4.0), (1.1, 5.0), (1.3, 6.0)];

/// From where on an amount is rare for its kind of goods, as [`Goods`](super::Goods) tells it: one
/// in twelve. And points for each further unit of it, for large ones and for small ones.
pub(super) const RARE: f32 = 2.5;
const LARGE_HERE: f32 = 1.3;
const SMALL_HERE: f32 = 1.1;

/// And no more than this: somebody pays the largest amount of a thousand, and that is no fraud. It
/// takes a second reason.
const HERE_MAX: f32 = 3.6;

/// Points that unusual payments of late give to one that is not unusual.
const LATELY_ALONE: f32 = 1.5;

/// The hours of the day, and points of the others.
const DAY: std::ops::Range<i64> = 4..22;
const NIGHT: f32 = 1.0;

/// The owner's own hand speaks for the owner. Returns what is left of the doubt at a large amount:
/// who has stolen but the numbers has not the hand, and the owner may buy a sofa.
pub(super) fn own_hand(off: f32, evidence: &mut Evidence) -> f32 {
    evidence.add(Rule::Speed, -OWN_HAND * (1.0 - off / HAND_OWN).max(0.0));
    let is_own = 1.0 - ((off - HAND_OWN) / HAND_OWN_FADES).clamp(0.0, 1.0);
    1.0 - OWN_HAND_EXCUSES * is_own
}

/// Another hand, by how much each of its measures is off.
pub(super) fn other_hand(by_speed: f32, by_jitter: f32, evidence: &mut Evidence) {
    let off = by_speed + by_jitter;
    if off > HAND_OTHER {
        let points = ((off - HAND_OTHER) / 2.0).min(HAND_OTHER_MAX);
        evidence.add(Rule::Speed, points * by_speed / off);
        evidence.add(Rule::Unsteady, points * by_jitter / off);
    }
}

/// The hour of the day. Returns its points.
pub(super) fn hour(time: i64, evidence: &mut Evidence) -> f32 {
    let hour = time.rem_euclid(86_400) / 3_600;
    let night = if DAY.contains(&hour) { 0.0 } else { NIGHT };
    evidence.add(Rule::Night, night);
    night
}

/// What was unusual of late. The past alone condemns nobody: it doubles what is unusual now.
pub(super) fn lately(points: f32, unusual: f32, evidence: &mut Evidence) {
    evidence.add(Rule::Lately, points.min(LATELY_ALONE + unusual.max(0.0)));
}

/// An amount beside those for the same goods. Where their kind is known, it says more than what the
/// card paid for other things. Returns the points.
pub(super) fn goods(rarity: f32, evidence: &mut Evidence) -> f32 {
    let large = (LARGE_HERE * (rarity - RARE)).clamp(0.0, HERE_MAX);
    let small = (SMALL_HERE * (-rarity - RARE)).clamp(0.0, HERE_MAX);
    evidence.add(Rule::LargeHere, large);
    evidence.add(Rule::SmallHere, small);
    large + small
}

/// An amount beside those of the card and of everybody. Who looks large for both reasons is not
/// twice as suspect: it is the same amount. Returns the points.
pub(super) fn size(deviation: f32, place: f32, doubt: f32, evidence: &mut Evidence) -> f32 {
    let own = points_at(deviation, OWN);
    let all = points_at(place, LARGE);
    let twice = OVERLAP * own.min(all).max(0.0);
    let [own, all] = if own < all { [own - twice, all] } else { [own, all - twice] };
    let [own, all] = [own, all].map(|points| if points > 0.0 { doubt * points } else { points });
    evidence.add(Rule::Amount, own);
    evidence.add(Rule::Large, all);
    own + all
}

/// What the owners of cards complained about: here, and of this card.
pub(super) fn reports(here: Reported, own: Reported, evidence: &mut Evidence) {
    let Reported { reports, payments, log_odds } = here;
    let points = (1.3 * log_odds - 0.5).clamp(0.0, 7.0);
    evidence.add(Rule::TerminalReported { reports, payments }, points);
    let Reported { reports, payments, log_odds } = own;
    let points = (0.3 * log_odds).clamp(0.0, 1.5);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tx::Verdict;

    fn verdict(judge: impl Fn(&mut Evidence)) -> Verdict {
        let mut evidence = Evidence::default();
        judge(&mut evidence);
        evidence.decide().verdict
    }

    #[test]
    fn what_is_rare_for_its_goods_takes_a_second_reason() {
        let night = 1_780_272_000;
        let rarest = |evidence: &mut Evidence| {
            goods(20.0, evidence);
            hour(night, evidence);
        };
        assert_eq!(verdict(rarest), Verdict::Approve);
        let again = |evidence: &mut Evidence| lately(6.0, goods(20.0, evidence), evidence);
        assert_ne!(verdict(again), Verdict::Approve);
        assert_eq!(verdict(|evidence| lately(6.0, 0.0, evidence)), Verdict::Approve);
    }

    #[test]
    fn the_owners_hand_excuses_a_large_amount() {
        let judge = |off| {
            verdict(move |evidence| {
                let doubt = own_hand(off, evidence);
                size(4.0, 1.2, doubt, evidence);
            })
        };
        assert_eq!((judge(0.5), judge(12.0)), (Verdict::Approve, Verdict::Challenge));
    }

    #[test]
    fn a_line_is_level_beyond_its_ends() {
        let line = [(0.0, 1.0), (2.0, 5.0)];
        assert_eq!(
            [-9.0, 0.0, 1.0, 2.0, 9.0].map(|x| points_at(x, &line)),
            [1.0, 1.0, 3.0, 5.0, 5.0]
        );
    }
}
