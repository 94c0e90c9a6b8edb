//! Tuples that a child emits to one task.

use tormenta::{
    LocalCluster, Simulation,
    bolts::Word,
    multilang::{ShellBolt, ShellSpout},
    prelude::*,
    record::Record,
    spout::Routing,
};

use crate::{
    child, errors,
    told::{Seen, Witness},
    words,
};

fn text(record: &Record) -> String {
    record.values()[0].to().expect("a text")
}

/// Lets a stream of the task with the id 2 be read by `direct`, whose ids are 3 to 5, by another
/// direct reader, and by shuffle.
fn read(t: &mut Topology, stream: tormenta::Stream<Record>) -> Seen {
    let seen = Seen::default();
    let witness = |first| Witness { seen: seen.clone(), first, task: 0, text };
    t.bolt("direct", witness(3), stream.direct()).tasks(3);
    t.bolt("other", witness(6), stream.direct()).tasks(2);
    t.bolt("shuffled", witness(8), stream.shuffle());
    seen
}

/// Each word went where it was sent, and nowhere else.
fn assert_seen(seen: &Seen, word: impl Fn(u64) -> bool, first: usize, count: u64) {
    let seen = seen.lock().expect("no test panics here");
    for n in (0..count).filter(|n| word(*n)) {
        assert_eq!(seen.get(&format!("a{n}")), Some(&vec![first + n as usize % 3]), "a{n}");
    }
    assert_eq!(seen.keys().filter(|word| word.starts_with("to:")).count(), 0);
}

const RIGHT: &str = "; tasks that read it by `direct`: 3, 4, 5, 6, 7";

#[test]
fn a_bolt_emits_to_one_task_alone() {
    let Some(command) = child("direct.py") else { return };
    let wrong = &["to:8:no direct reader", "to:99:none", "to:1:reads nothing", "to:-3:none"];
    let mut t = Topology::new("direct");
    let retry = Retry { attempts_max: 1, ..Retry::default() };
    let words = t.spout("words", words(900, wrong)).replaying(retry);
    let bolt = ShellBolt::new(command).output("default", ["word: String"]);
    let bolt = t.bolt("child", bolt, words.shuffle());
    let seen = read(&mut t, *bolt);
    let summary = tormenta::run(t).expect("it runs");
    let is_right = |n: u64| n == 0 || n > 400 || !n.is_multiple_of(100);
    assert_seen(&seen, is_right, 3, 900);
    assert_eq!(seen.lock().unwrap().len(), 896);
    // The tuples that they were emitted for fail, and the errors say what would be right.
    assert_eq!(summary.dead_letters.len(), 4);
    let told = errors(&summary);
    for why in [
        "task 8 alone on stream `default`, but `shuffled`, which that is a task of, reads it by \
         `shuffle`",
        "task 99 alone on stream `default`, but tasks are 1 to 8",
        "task 1 alone on stream `default`, but `words`, which that is a task of, does not read it",
        "task -3 alone on stream `default`, but tasks are 1 to 8",
    ] {
        assert!(told.contains(&format!("{why}{RIGHT}")), "{why} is not in {told}");
        let of_letter = |error: &str| error.contains(&format!("{why}{RIGHT}"));
        assert!(summary.dead_letters.iter().any(|letter| of_letter(&letter.error)), "{why}");
    }
}

#[test]
fn a_spout_emits_to_one_task_alone() {
    let Some([python, script]) = child("direct.py") else { return };
    let mut t = Topology::new("direct");
    let nothing = t.spout("nothing", words(1, &[]));
    t.bolt("forgets", crate::nothing::<Word>(), nothing.shuffle());
    let spout = ShellSpout::new([python, script, "spout".to_owned()]);
    let spout = t.spout("child", spout.output("default", ["word: String"]));
    // 1 and 2 are those above, 3 is the child.
    let seen = Seen::default();
    let witness = |first| Witness { seen: seen.clone(), first, task: 0, text };
    t.bolt("direct", witness(4), spout.direct()).tasks(3);
    t.bolt("other", witness(7), spout.direct());
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!(errors(&summary), "");
    assert_seen(&seen, |_| true, 4, 90);
    assert_eq!(seen.lock().unwrap().len(), 90);
    let mut letters: Vec<_> = summary.dead_letters.iter().map(|letter| &*letter.error).collect();
    letters.sort_unstable();
    assert_eq!(letters.len(), 2);
    let right = "; tasks that read it by `direct`: 4, 5, 6, 7";
    assert!(
        letters[0]
            .ends_with(&format!("`nothing`, which that is a task of, does not read it{right}"))
    );
    assert!(letters[1].ends_with(&format!("tasks are 1 to 7{right}")), "{letters:?}");
}

/// A spout in Rust that aims, also where nobody is: such a tuple fails.
#[derive(Clone)]
struct Aims {
    next: u64,
    failed: std::sync::Arc<std::sync::Mutex<Vec<(u64, String)>>>,
}

impl Spout for Aims {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        self.next += 1;
        Ok((self.next <= 100).then_some((self.next, self.next)))
    }

    fn routing(&self, n: &u64) -> Routing {
        match n % 5 {
            0 => Routing::Only(9),
            1 => Routing::Grouped,
            _ => Routing::Only(1 + (n % 2) as usize),
        }
    }

    fn failed(&mut self, n: u64, why: tormenta::Failure) {
        self.failed.lock().expect("no test panics here").push((n, why.to_string()));
    }
}

#[test]
fn a_tuple_for_nobody_fails() {
    for fuse in [true, false] {
        let (failed, seen) = (std::sync::Arc::default(), Seen::default());
        let mut t = Topology::new("aims");
        let aims = t.spout("aims", Aims { next: 0, failed: std::sync::Arc::clone(&failed) });
        let text = |n: &u64| n.to_string();
        let witness = |first| Witness { seen: seen.clone(), first, task: 0, text };
        t.bolt("one", witness(1), aims.direct()).fuse(fuse);
        t.bolt("two", witness(2), aims.direct()).fuse(fuse);
        let summary = LocalCluster::new(t, Simulation::new(3)).expect("sound").run();
        assert_eq!(crate::acked(&summary, "aims"), 80);
        let failed = failed.lock().unwrap();
        let numbers: Vec<u64> = failed.iter().map(|(n, _)| *n).collect();
        assert_eq!(numbers, (1..=20).map(|n| 5 * n).collect::<Vec<_>>());
        let why = "task number 9 does not read this stream by `direct()`";
        assert!(failed.iter().all(|(_, told)| told.contains(why)), "{failed:?}");
        let seen = seen.lock().unwrap();
        for n in (1..=100).filter(|n| n % 5 > 0) {
            // What is grouped goes to the first task of each.
            let expected = if n % 5 == 1 { vec![1, 2] } else { vec![1 + n % 2] };
            let mut found = seen[&n.to_string()].clone();
            found.sort_unstable();
            assert_eq!(found, expected, "{n}");
        }
    }
}

/// Notes what it gets, and fails everything the first time that anybody gets it.
#[derive(Clone)]
struct Refuses {
    witness: Witness<u64>,
    refused: std::sync::Arc<std::sync::Mutex<std::collections::BTreeSet<u64>>>,
}

impl Bolt for Refuses {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.witness.prepare(cx).await
    }

    async fn execute(&mut self, n: u64, out: &Emitter<()>) -> Result {
        self.witness.execute(n, out).await?;
        let is_first = self.refused.lock().expect("no test panics here").insert(n);
        if is_first { Err(Error::msg("not yet")) } else { Ok(()) }
    }
}

#[test]
fn a_replay_goes_where_the_tuple_went_and_nowhere_else() {
    for fuse in [true, false] {
        let (failed, seen) = (std::sync::Arc::default(), Seen::default());
        let refused = std::sync::Arc::default();
        let mut t = Topology::new("replays");
        let aims = t.spout("aims", Aims { next: 0, failed });
        let aims = aims.replaying(Retry { attempts_max: 3, ..Retry::default() });
        let text = |n: &u64| n.to_string();
        let refuses = |first| {
            let witness = Witness { seen: seen.clone(), first, task: 0, text };
            Refuses { witness, refused: std::sync::Arc::clone(&refused) }
        };
        t.bolt("one", refuses(1), aims.direct()).fuse(fuse);
        t.bolt("two", refuses(2), aims.direct()).fuse(fuse);
        let summary = LocalCluster::new(t, Simulation::new(3)).expect("sound").run();
        // Where nobody is there is nobody later.
        assert_eq!(summary.dead_letters.len(), 20);
        let seen = seen.lock().unwrap();
        for n in 1..=100 {
            let found = seen.get(&n.to_string());
            match n % 5 {
                0 => assert_eq!(found, None, "{n}"),
                1 => assert!(found.is_some_and(|tasks| tasks.len() == 4), "{n}: {found:?}"),
                _ => assert_eq!(found, Some(&vec![1 + n % 2; 2]), "{n}"),
            }
        }
    }
}
