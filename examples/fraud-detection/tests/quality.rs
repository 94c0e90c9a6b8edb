//! How well the rules find fraud: on seeds that nobody tuned them on.

use tormenta_fraud::{Generator, Kind, Rules, Tally, Truth};

/// Transactions of each seed. The first 25,000 have no fraud.
const TRANSACTIONS: usize = 250_000;

fn tally(seed: u64) -> Tally {
    let (mut rules, mut tally) = (Rules::default(), Tally::default());
    for (tx, truth) in Generator::new(seed).take(TRANSACTIONS) {
        tally.add(&rules.observe(&tx), truth);
    }
    tally
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: how well it does")]
#[test]
fn every_kind_is_found_and_hardly_anybody_is_bothered() {
    for seed in [9_001, 9_002] {
        let tally = tally(seed);
        let found = tally.per_kind();
        let false_positives = tally.false_positives().expect("somebody is genuine");
        println!("seed {seed}: false positives {false_positives:.4}, auc {:?}", tally.auc());
        found.iter().for_each(|(kind, quality)| println!("  {}: {quality:?}", kind.name()));
        assert!(found.keys().eq(Kind::GENERATED.iter()), "{found:?}");
        for (kind, quality) in found {
            assert!(quality.recall >= 0.95, "seed {seed}: {kind:?} {quality:?}");
            assert!(quality.frauds >= 100, "seed {seed}: {kind:?} {quality:?}");
        }
        assert!(false_positives <= 0.001, "seed {seed}: {false_positives}");
    }
}

#[test]
fn the_first_transactions_are_genuine() {
    let quiet = Generator::new(5).take(tormenta_fraud::QUIET as usize);
    assert_eq!(quiet.filter(|(_, truth)| *truth != Truth::Genuine).count(), 0);
}
