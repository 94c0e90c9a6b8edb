//! The topology decides what the rules decide, whatever the order in which its tasks run.

mod world;

use std::{
    collections::HashSet,
    fmt::Write,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use tormenta::{LocalCluster, Simulation, bolts::func, prelude::*};
use tormenta_fraud::{
    Chargeback, DecideCards, Decided, Decision, Entry, Format, Generator, Halt, Happened, Input,
    Limits, Origin, Pace, Rules, Source, Truth, Tx, WatchTerminals,
};

const TRANSACTIONS: usize = 4_000;

/// What happens on the way.
#[derive(Clone, Copy)]
struct Way {
    seed: u64,
    tasks: usize,
    fuse: bool,
    /// If not zero, every so many-th decision fails the first time.
    moody: u64,
}

impl Way {
    fn of(seed: u64, tasks: usize, fuse: bool) -> Self {
        Self { seed, tasks, fuse, moody: 0 }
    }
}

/// What the rules decide by themselves.
fn expected() -> Vec<Decision> {
    let mut rules = Rules::default();
    let stream = Generator::new(3).take(TRANSACTIONS);
    stream.map(|(tx, _)| rules.observe(&tx)).collect()
}

/// What the topology decides, in the order of the input.
fn decided(origin: Origin, limits: Limits, limit: usize, way: Way, input: Input) -> Vec<Decision> {
    let decisions = Arc::new(Mutex::new(Vec::new()));
    let (kept, failed) = (decisions.clone(), Arc::new(Mutex::new(HashSet::new())));
    let pace = Pace { limit: Some(limit as u64), ..Pace::default() };
    let mut t = Topology::new("fraud");
    // A card remembers its last sixteen answers, so there must not be more of it under way.
    let source = Source::new(origin, pace, limits, Halt::default(), input);
    let source = t.spout("source", source).pending_max(1_000);
    let terminals = WatchTerminals::with(limits);
    let reads = [
        source.swipe.by(|s| &s.tx.terminal).to(Entry::Swipe),
        source.chargeback.by(|c| &c.terminal).to(Entry::Chargeback),
    ];
    let terminals = t.bolt("terminals", terminals, reads).tasks(way.tasks);
    let cards = DecideCards::with(limits);
    let reads = [
        terminals.by(|c| &c.swiped.tx.card).to(Happened::Checked),
        source.chargeback.by(|c| &c.card).to(Happened::Chargeback),
    ];
    let cards = t.bolt("cards", cards, reads).tasks(way.tasks);
    let keep = func(async move |decided: Decided, _: &Emitter<()>| {
        if way.moody > 0
            && decided.seq.is_multiple_of(way.moody)
            && failed.lock().unwrap().insert(decided.seq)
        {
            return Err(Error::msg("not in the mood"));
        }
        kept.lock().unwrap().push((decided.seq, decided.decision));
        Ok(())
    });
    t.bolt("kept", keep, cards.global());
    let mut simulation = Simulation::new(way.seed);
    simulation.fuse = way.fuse;
    let summary = LocalCluster::new(t, simulation).expect("a plan").run();
    assert_eq!(summary.error, None);
    let mut decisions = decisions.lock().unwrap().clone();
    decisions.sort_by_key(|(seq, _)| *seq);
    decisions.dedup();
    assert_eq!(decisions.len(), limit, "one decision for each transaction");
    decisions.into_iter().map(|(_, decision)| decision).collect()
}

fn generated(way: Way) -> Vec<Decision> {
    let origin = Origin::Generated { seed: 3 };
    decided(origin, Limits::default(), TRANSACTIONS, way, Input::default())
}

#[test]
fn any_order_of_tasks_decides_the_same() {
    let expected = expected();
    for (seed, tasks, fuse) in [(1, 1, true), (2, 1, false), (3, 3, true), (4, 5, false)] {
        assert!(generated(Way::of(seed, tasks, fuse)) == expected, "seed {seed}, {tasks} tasks");
    }
}

#[test]
fn a_replay_decides_the_same() {
    assert!(generated(Way { moody: 13, ..Way::of(5, 3, false) }) == expected());
}

/// Writes a file of payments, and one of chargebacks if there are any.
fn files(dir: &Path, payments: &[Tx], chargebacks: &[Chargeback]) -> Origin {
    let mut text = "tx_id,epoch_s,customer_id,terminal_id,amount\n".to_owned();
    for Tx { id, time, card, terminal, cents, .. } in payments {
        let (id, units, parts) = (String::from_utf8_lossy(id), cents / 100, cents % 100);
        writeln!(text, "{id},{time},{card},{terminal},{units}.{parts:02}").expect("text");
    }
    let mut reports = "reported_s,tx_id,terminal_id,customer_id\n".to_owned();
    for Chargeback { id, card, terminal, time, .. } in chargebacks {
        let id = String::from_utf8_lossy(id);
        writeln!(reports, "{time},{id},{terminal},{card}").expect("text");
    }
    let [path, reported] = ["payments.csv", "reported.csv"].map(|name| dir.join(name));
    fs::write(&path, text).expect("written");
    fs::write(&reported, reports).expect("written");
    let chargebacks = (!chargebacks.is_empty()).then_some(reported);
    Origin::File { path, format: Format::Handbook, chargebacks }
}

/// Chargebacks take two ways to the cards; nobody sees them too early or too late.
#[test]
fn chargebacks_come_at_their_time_in_any_order_of_tasks() {
    let dir = tempfile::tempdir().expect("a directory");
    let payments: Vec<_> = world::payments(11, 10);
    let chargebacks = world::chargebacks(&payments, 1);
    let payments: Vec<Tx> = payments.into_iter().map(|(tx, _): (Tx, Truth)| tx).collect();
    assert!(chargebacks.len() > 30, "{}", chargebacks.len());
    let mut rules = Rules::default();
    let mut reports = chargebacks.iter().peekable();
    let mut decide = |tx: &Tx| {
        while let Some(report) = reports.next_if(|report| report.time <= tx.time) {
            rules.report(report);
        }
        rules.observe(tx)
    };
    let expected: Vec<_> = payments.iter().map(&mut decide).collect();
    let origin = files(dir.path(), &payments, &chargebacks);
    let ways = [Way::of(1, 1, true), Way::of(2, 3, false), Way::of(3, 4, true)];
    for way in ways.into_iter().chain([Way { moody: 7, ..Way::of(4, 3, false) }]) {
        let input = Input::default();
        let limits = Limits::default();
        let found = decided(origin.clone(), limits, payments.len(), way, input.clone());
        assert!(found == expected, "{} tasks", way.tasks);
        assert!(input.chargebacks() > 20 && input.refused() == 0);
    }
    let alone = files(dir.path(), &payments, &[]);
    let way = Way::of(1, 2, false);
    let alone = decided(alone, Limits::default(), payments.len(), way, Input::default());
    assert!(alone != expected, "chargebacks must change something");
}

/// Who was not used for long is forgotten, by all tasks alike.
#[test]
fn what_is_forgotten_does_not_depend_on_the_tasks() {
    const CARDS: usize = Limits::KEYS_MIN + 2_000;
    let dir = tempfile::tempdir().expect("a directory");
    let payment = |n: usize| Tx {
        id: n.to_string().into(),
        card: (if n < CARDS { n } else { n * 7_919 % CARDS }) as u64,
        terminal: (n % 50) as u64,
        cents: 1_000 + (n * 31 % 97) as u64 * 300,
        category: None,
        time: 1_780_272_000 + 20 * n as i64,
        place: None,
        pass: None,
    };
    let payments: Vec<_> = (0..CARDS + 12_000).map(payment).collect();
    let limits = Limits { keys_max: Limits::KEYS_MIN, ..Limits::default() };
    let [mut few, mut all] = [limits, Limits::default()].map(Rules::with);
    let expected: Vec<_> = payments.iter().map(|tx| few.observe(tx)).collect();
    let remembered: Vec<_> = payments.iter().map(|tx| all.observe(tx)).collect();
    assert!(expected != remembered, "something must have been forgotten");
    let origin = files(dir.path(), &payments, &[]);
    for way in [Way::of(1, 1, true), Way::of(2, 3, false)] {
        let input = Input::default();
        let found = decided(origin.clone(), limits, payments.len(), way, input.clone());
        assert!(found == expected, "{} tasks", way.tasks);
        assert!(input.cards_forgotten() > 2_000 && input.terminals_forgotten() == 0);
    }
}
