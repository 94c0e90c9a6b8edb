//! How well the rules find what differs in nothing but the label: without the past, and with what
//! a bank hears of it. On seeds that nobody tuned them on.

mod world;

use tormenta_fraud::{Chargeback, Decision, Kind, Rules, Tally, Truth, Tx};
use world::{DAY_S, chargebacks, payments};

const DAYS: usize = 56;

/// What is measured after it had time to learn: from this day on.
const FROM_DAY: i64 = 28;

type Payments = [(Tx, Truth)];

fn decide(payments: &Payments, chargebacks: &[Chargeback]) -> Vec<Decision> {
    let (mut rules, mut reported) = (Rules::default(), 0);
    let decide = |(tx, _): &(Tx, Truth)| {
        while let Some(next) = chargebacks.get(reported).filter(|next| next.time <= tx.time) {
            rules.report(next);
            reported += 1;
        }
        rules.observe(tx)
    };
    payments.iter().map(decide).collect()
}

fn tally(payments: &Payments, decisions: &[Decision]) -> Tally {
    let from = payments[0].0.time + FROM_DAY * DAY_S;
    let mut tally = Tally::default();
    let later = payments.iter().zip(decisions).filter(|((tx, _), _)| tx.time >= from);
    later.for_each(|((_, truth), decision)| tally.add(decision, *truth));
    tally
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: how well it does")]
fn said(what: &str, tally: &Tally) {
    println!("{what}: area {:?}, {:?}", tally.auc(), tally.false_positives());
    tally.per_kind().iter().for_each(|(kind, quality)| println!("  {kind:?} {quality:?}"));
}

#[test]
fn the_past_shows_what_a_payment_does_not() {
    for seed in [7_001, 7_002] {
        let payments = payments(seed, DAYS);
        let alone = tally(&payments, &decide(&payments, &[]));
        said("without chargebacks", &alone);
        let told = tally(&payments, &decide(&payments, &chargebacks(&payments, 7)));
        said("with chargebacks", &told);
        let [alone_area, told_area] = [&alone, &told].map(|tally| tally.auc().unwrap_or(0.0));
        assert!(alone_area >= 0.60, "seed {seed}: {alone_area}");
        assert!(told_area >= 0.87, "seed {seed}: {told_area}");
        for (tally, false_positives_max) in [(&alone, 0.005), (&told, 0.01)] {
            let false_positives = tally.false_positives().expect("somebody is genuine");
            assert!(false_positives <= false_positives_max, "seed {seed}: {false_positives}");
            let large = tally.per_kind()[&Kind::LargeAmount];
            assert!(large.recall >= 0.7, "seed {seed}: {large:?}");
        }
        let terminals = told.per_kind()[&Kind::CompromisedTerminal];
        assert!(terminals.recall >= 0.5, "seed {seed}: {terminals:?}");
    }
}

/// Reports that say nothing about the future find nothing: the rules look at nothing else.
#[test]
fn reports_of_somebody_else_do_not_help() {
    let payments = payments(7_003, DAYS);
    let mut wrong = chargebacks(&payments, 7);
    let terminals: Vec<_> = wrong.iter().map(|report| report.terminal).collect();
    for (index, report) in wrong.iter_mut().enumerate() {
        report.terminal = (terminals[index] * 7 + 1_001) % 2_000;
        report.card = (report.card * 7 + 501) % 1_000;
    }
    let area = tally(&payments, &decide(&payments, &wrong)).auc().expect("there are frauds");
    assert!(area < 0.75, "{area}");
}
