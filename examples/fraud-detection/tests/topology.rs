//! The topology decides what the rules decide, whatever the order in which its tasks run.

use std::sync::{Arc, Mutex};

use tormenta::{LocalCluster, Simulation, bolts::func, prelude::*};
use tormenta_fraud::{
    DecideCards, Decided, Decision, Generator, Halt, Input, Origin, Pace, Rules, Source,
    WatchTerminals,
};

const TRANSACTIONS: u64 = 4_000;

/// What the rules decide by themselves.
fn expected() -> Vec<Decision> {
    let mut rules = Rules::default();
    let stream = Generator::new(3).take(TRANSACTIONS as usize);
    stream.map(|(tx, _)| rules.observe(&tx)).collect()
}

/// What the topology decides. If not zero, every `moody`th decision fails the first time.
fn decided(seed: u64, tasks: usize, fuse: bool, moody: u64) -> Vec<Decision> {
    let decisions = Arc::new(Mutex::new(vec![None; TRANSACTIONS as usize]));
    let (kept, failed) =
        (decisions.clone(), Arc::new(Mutex::new(std::collections::HashSet::new())));
    let pace = Pace { limit: Some(TRANSACTIONS), ..Pace::default() };
    let source =
        Source::new(Origin::Generated { seed: 3 }, pace, Halt::default(), Input::default());
    let mut t = Topology::new("fraud");
    let swipes = t.spout("swipes", source);
    let terminals = WatchTerminals::default();
    let terminals = t.bolt("terminals", terminals, swipes.by(|s| &s.tx.terminal)).tasks(tasks);
    let cards = DecideCards::until(i64::MAX);
    let cards = t.bolt("cards", cards, terminals.by(|c| &c.swiped.tx.card)).tasks(tasks);
    let keep = func(async move |decided: Decided, _: &Emitter<()>| {
        if moody > 0
            && decided.seq.is_multiple_of(moody)
            && failed.lock().unwrap().insert(decided.seq)
        {
            return Err(Error::msg("not in the mood"));
        }
        kept.lock().unwrap()[decided.seq as usize - 1] = Some(decided.decision);
        Ok(())
    });
    t.bolt("kept", keep, cards.global());
    let mut simulation = Simulation::new(seed);
    simulation.fuse = fuse;
    let summary = LocalCluster::new(t, simulation).expect("a plan").run();
    assert_eq!(summary.error, None);
    let decisions = decisions.lock().unwrap();
    decisions.iter().map(|decision| decision.expect("nothing is lost")).collect()
}

#[test]
fn any_order_of_tasks_decides_the_same() {
    let expected = expected();
    for (seed, tasks, fuse) in [(1, 1, true), (2, 1, false), (3, 3, true), (4, 5, false)] {
        assert!(decided(seed, tasks, fuse, 0) == expected, "seed {seed}, {tasks} tasks");
    }
}

#[test]
fn a_replay_decides_the_same() {
    assert!(decided(5, 3, false, 13) == expected());
}
