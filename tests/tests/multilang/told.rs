//! Which tasks get what a child emits: all groupings, bolts and spouts, asked and told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tormenta::{
    LocalCluster, Simulation, Stream,
    bolts::{Word, func},
    grouping::Grouping,
    multilang::{ShellBolt, ShellSpout},
    prelude::*,
    record::Record,
    spout::Routing,
    spouts::generate,
    testkit::Capture,
};

use crate::{child, errors};

/// The first value of each tuple, and the ids of the tasks that got it.
pub(crate) type Seen = Arc<Mutex<BTreeMap<String, Vec<usize>>>>;

/// Notes what each of its tasks gets. Its first task has the id `first`.
#[derive(Clone)]
pub(crate) struct Witness<T> {
    pub(crate) seen: Seen,
    pub(crate) first: usize,
    pub(crate) task: usize,
    pub(crate) text: fn(&T) -> String,
}

impl<T: Streams> Bolt for Witness<T> {
    type Input = T;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.task = cx.task();
        Ok(())
    }

    async fn execute(&mut self, tuple: T, _out: &Emitter<()>) -> Result {
        let mut seen = self.seen.lock().expect("no test panics here");
        seen.entry((self.text)(&tuple)).or_default().push(self.first + self.task);
        Ok(())
    }
}

/// The first two tasks, or nobody for every fifth tuple.
#[derive(Clone)]
struct Odd<T>(fn(&T) -> String);

impl<T: Send + 'static + Clone> Grouping<T> for Odd<T> {
    fn choose(&mut self, tuple: &T, tasks: usize, chosen: &mut Vec<usize>) {
        if (self.0)(tuple).len() % 5 != 4 {
            chosen.extend([0, tasks - 1]);
        }
    }
}

/// Lets a stream be read in every way there is. Ids of the readers begin with `first`.
fn read<T: Streams + Tuple + Sync>(
    t: &mut Topology,
    words: Stream<T>,
    text: fn(&T) -> String,
    mut first: usize,
) -> Seen {
    let seen = Seen::default();
    let key = move |tuple: &T, key: &mut tormenta::KeyHasher| {
        key.add(&text(tuple));
    };
    for (name, tasks, edge) in [
        ("shuffled", 3, words.shuffle()),
        ("lone", 1, words.shuffle()),
        ("stays", 2, words.none()),
        ("local", 2, words.local_or_shuffle()),
        ("keyed", 4, words.by_key(key)),
        ("partial", 3, words.partial_by_key(key)),
        ("every", 3, words.all()),
        ("global", 2, words.global()),
        ("custom", 3, words.custom(Odd(text))),
        ("direct", 2, words.direct()),
    ] {
        let witness = Witness { seen: seen.clone(), first, task: 0, text };
        t.bolt(name, witness, edge).tasks(tasks);
        first += tasks;
    }
    seen
}

/// What was told is what was seen, tuple by tuple.
#[track_caller]
fn assert_told(told: Vec<String>, seen: &Seen, count: usize) {
    let told: BTreeMap<String, Vec<usize>> = told
        .iter()
        .map(|line| {
            let (word, ids) = line.split_once(' ').unwrap_or((line, ""));
            let ids = ids.split_whitespace().map(|id| id.parse().expect("an id"));
            (word.to_owned(), ids.collect())
        })
        .collect();
    let mut seen = seen.lock().expect("no test panics here");
    seen.values_mut().for_each(|ids| ids.sort_unstable());
    assert_eq!((told.len(), seen.len()), (count, count));
    assert_eq!(told, *seen);
}

fn record_text(record: &Record) -> String {
    record.values()[0].to().expect("a text")
}

/// Two children, each asking for one tuple at a time, or for three.
#[test]
fn a_bolt_is_told_who_got_its_tuples() {
    for ahead in [1, 3] {
        let Some(command) = child("told.py") else { return };
        let mut t = Topology::new("told");
        let words = t.spout("words", generate(|n| Word::new(format!("w{n}"))).limit(1_200));
        let bolt = ShellBolt::new(command)
            .conf("ahead", ahead)
            .outputs([("words", vec!["word: String"]), ("told", vec!["told: String"])]);
        let bolt = t.bolt("child", bolt, words.by(|w| &w.word)).tasks(2);
        // 1 is the spout, 2 and 3 are the child.
        let seen = read(&mut t, bolt[0], record_text, 4);
        let told = Capture::<Record>::new();
        t.bolt("told", told.bolt(), bolt[1].shuffle());
        let summary = tormenta::run(t).expect("it runs");
        assert_eq!(errors(&summary), "");
        let told: Vec<String> = told.taken().iter().map(record_text).collect();
        // The last few of a child that asks three by three have no answer read.
        let complete = if ahead == 1 { 1_200 } else { told.len() };
        assert!(told.len() >= 1_190, "{}", told.len());
        let words: BTreeSet<&str> = told.iter().filter_map(|line| line.split(' ').next()).collect();
        seen.lock().unwrap().retain(|word, _| words.contains(&**word));
        assert_told(told, &seen, complete);
    }
}

#[test]
fn a_spout_is_told_who_got_its_tuples() {
    let Some(command) = child("told_spout.py") else { return };
    let mut t = Topology::new("told");
    let spout = ShellSpout::new(command)
        .conf("count", 300)
        .outputs([("words", vec!["word: String"]), ("told", vec!["told: String"])]);
    let spout = t.spout("child", spout);
    let seen = read(&mut t, spout[0], record_text, 2);
    let told = Capture::<Record>::new();
    t.bolt("told", told.bolt(), spout[1].shuffle());
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!(errors(&summary), "");
    let letters: Vec<_> = summary.dead_letters.iter().map(|letter| &*letter.error).collect();
    assert!(letters.len() == 1 && letters[0].contains("it emitted 2 values"), "{letters:?}");
    assert_told(told.taken().iter().map(record_text).collect(), &seen, 300);
}

/// Tells by itself who got what, without any child: in virtual time, fused and not.
#[derive(Clone)]
struct Teller {
    told: Arc<Mutex<Vec<String>>>,
}

impl Bolt for Teller {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        // Some go by themselves, some with others, and all in their order.
        if n.is_multiple_of(3) {
            return out.emit(n).await;
        }
        let (ticket, mut ids) = (out.hold(), Vec::new());
        let emitted = out.emit_told([&ticket], n, &mut ids);
        let ids: BTreeSet<String> = ids.iter().map(|number| (number + 1).to_string()).collect();
        let line = ids.into_iter().fold(n.to_string(), |line, id| line + " " + &id);
        self.told.lock().expect("no test panics here").push(line);
        ticket.ack();
        emitted.await
    }
}

#[test]
fn an_emit_says_who_got_its_tuple() {
    for (seed, fuse) in (0..20).flat_map(|seed| [(seed, true), (seed, false)]) {
        let (told, seen) = (Arc::default(), Seen::default());
        let mut t = Topology::new("told");
        let numbers = t.spout("numbers", generate(|n| n).limit(300));
        let teller = Teller { told: Arc::clone(&told) };
        let teller = t.bolt("teller", teller, numbers.shuffle()).fuse(fuse);
        let text = |n: &u64| n.to_string();
        let witness = |first| Witness { seen: seen.clone(), first, task: 0, text };
        t.bolt("one", witness(3), teller.shuffle()).fuse(fuse);
        t.bolt("keyed", witness(4), teller.by(|n| n)).tasks(3);
        let summary = LocalCluster::new(t, Simulation::new(seed)).expect("sound").run();
        assert_eq!((errors(&summary), crate::acked(&summary, "numbers")), (String::new(), 300));
        let told: Vec<String> = told.lock().unwrap().clone();
        seen.lock().unwrap().retain(|n, _| n.parse::<u64>().is_ok_and(|n| n % 3 != 0));
        assert_told(told, &seen, 200);
    }
}

/// A tuple that is told alone keeps its place among those that are not.
#[test]
fn an_emit_that_is_told_keeps_its_place() {
    for fuse in [true, false] {
        let (told, arrived) = (Arc::default(), Capture::<u64>::new());
        let mut t = Topology::new("order");
        let numbers = t.spout("numbers", generate(|n| n).limit(500));
        let teller = Teller { told: Arc::clone(&told) };
        let teller = t.bolt("teller", teller, numbers.shuffle()).fuse(fuse);
        t.bolt("arrived", arrived.bolt(), teller.global()).fuse(fuse);
        LocalCluster::new(t, Simulation::new(7)).expect("sound").run();
        assert_eq!(arrived.taken(), (0..500).collect::<Vec<_>>());
    }
}

/// Numbers of which every fourth is told, by itself. One that is started again goes on.
#[derive(Clone, Default)]
struct Numbers(Arc<AtomicU64>);

impl Spout for Numbers {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Ok((n <= 400).then_some((n, n)))
    }

    fn routing(&self, n: &u64) -> Routing {
        if n.is_multiple_of(4) { Routing::Told } else { Routing::Grouped }
    }
}

/// A key that panics at tuples before one that is to be handed on alone, or at that one.
#[test]
fn a_key_that_panics_loses_nobody() {
    for (seed, fuse) in (0..10).flat_map(|seed| [(seed, true), (seed, false)]) {
        let (panicked, arrived) = (Arc::new(Mutex::new(BTreeSet::new())), Capture::<u64>::new());
        let mut t = Topology::new("panics");
        let numbers = t.spout("numbers", Numbers::default()).replaying(Retry::default());
        let key = move |n: &u64, key: &mut tormenta::KeyHasher| {
            let first = (n % 50 == 2 || n % 100 == 4) && panicked.lock().unwrap().insert(*n);
            assert!(!first, "the first time");
            key.add(n);
        };
        t.bolt("arrived", arrived.bolt(), numbers.by_key(key)).tasks(2).fuse(fuse);
        let summary = LocalCluster::new(t, Simulation::new(seed)).expect("sound").run();
        assert_eq!((crate::acked(&summary, "numbers"), summary.dead_letters.len()), (400, 0));
        let arrived: BTreeSet<u64> = arrived.taken().into_iter().collect();
        assert_eq!(arrived, (1..=400).collect());
    }
}

/// A reader that is slow makes the child wait, which waits for its answers meanwhile.
#[test]
fn a_child_that_asks_waits_for_slow_readers() {
    let Some(command) = child("asks.py") else { return };
    let mut t = Topology::new("slow");
    let words = t.spout("words", generate(|n| Word::new(format!("w{n}"))).limit(3_000));
    let asks = t.bolt("asks", ShellBolt::new(command).emits::<Word>(), words.shuffle());
    let slow = func(async |_: Word, _: &Emitter<()>| {
        std::thread::park_timeout(std::time::Duration::from_micros(300));
        Ok(())
    });
    t.bolt("slow", slow, asks.shuffle()).fuse(false);
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!((errors(&summary), crate::acked(&summary, "words")), (String::new(), 3_000));
}
