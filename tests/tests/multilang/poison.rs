//! Tuples that kill whoever works on them.

use std::collections::BTreeSet;

use tormenta::{bolts::Word, multilang::ShellBolt, prelude::*, testkit::Capture};

use crate::{child, words};

/// They become dead letters, by themselves: nobody who was with them does, with three attempts.
#[test]
fn a_tuple_that_kills_takes_nobody_along() {
    let Some(command) = child("poison.py") else { return };
    let kills = &["kill:1", "kill:2", "kill:3"];
    for tasks in [1, 2] {
        let arrived = Capture::<Word>::new();
        let mut t = Topology::new("poison");
        let words = t.spout("words", words(3_000, kills));
        let words = words.replaying(Retry { attempts_max: 3, ..Retry::default() });
        let child = ShellBolt::new(command.clone()).emits::<Word>();
        let child = t.bolt("child", child, words.shuffle()).tasks(tasks);
        t.bolt("arrived", arrived.bolt(), child.shuffle());
        let summary = tormenta::run(t).expect("it runs to its end");
        let dead: BTreeSet<String> = summary
            .dead_letters
            .iter()
            .filter_map(|letter| letter.tuple.as_ref()?.values()[0].to().ok())
            .collect();
        assert_eq!(dead, kills.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(summary.dead_letters.len(), kills.len());
        let arrived: BTreeSet<Vec<u8>> =
            arrived.taken().into_iter().map(|word| word.word.to_vec()).collect();
        assert_eq!(arrived.len(), 3_000 - kills.len());
        let deaths =
            summary.metrics.component("child").expect("it is there").counters["child_restarts"];
        // Each kills as often as it may be tried, at most: two may be in one batch at first.
        assert!((6..=9).contains(&deaths), "{deaths}");
    }
}
