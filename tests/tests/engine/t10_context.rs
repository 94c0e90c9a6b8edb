//! What a component may know about where it runs, and its keyed state.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tormenta::{Topology, prelude::*, testkit::Capture};

use crate::support::{Seen, cluster, feed_of, in_order, of, run_to_end, sorted};

/// Notes its context when it is prepared, and counts.
#[derive(Clone)]
struct Curious {
    seen: Seen<(String, String, usize, usize)>,
    made: Arc<AtomicUsize>,
    cx: Option<Context>,
}

impl Bolt for Curious {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let (topology, component) = (cx.topology().to_owned(), cx.component().to_owned());
        self.seen.add((topology, component, cx.task(), cx.tasks()));
        let shared = cx.shared(|| {
            self.made.fetch_add(1, Ordering::SeqCst);
            AtomicUsize::new(0)
        });
        shared.fetch_add(1, Ordering::SeqCst);
        assert!(shared.load(Ordering::SeqCst) <= cx.tasks());
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, _out: &Emitter<()>) -> Result {
        let cx = self.cx.as_ref().expect("it was prepared");
        cx.counter("sum").add(n);
        cx.counter("tuples").add(1);
        if n == 3 {
            cx.report(&Error::msg("three").context("count"));
        }
        Ok(())
    }
}

#[test]
fn a_task_knows_its_place_and_shares_counters_and_objects() {
    for fuse in [true, false] {
        let bolt = Curious { seen: Seen::default(), made: Arc::default(), cx: None };
        let (seen, made) = (bolt.seen.clone(), bolt.made.clone());
        let mut t = Topology::new("context");
        let numbers = t.spout("numbers", feed_of(0..10u64).spout());
        let _ = t.scope("eu", |t| t.bolt("curious", bolt, numbers.by(|n| n)).tasks(3));
        let summary = run_to_end(cluster(t, 1, fuse));
        let place = |task| ("context".to_owned(), "eu/curious".to_owned(), task, 3);
        assert_eq!(in_order(seen.all()), [place(0), place(1), place(2)]);
        assert_eq!(made.load(Ordering::SeqCst), 1, "a shared object is made once");
        let counters = &of(&summary, "eu/curious").counters;
        assert_eq!((counters["sum"], counters["tuples"]), (45, 10));
        let [error] = &summary.errors[..] else { panic!("one error: {:?}", summary.errors) };
        assert_eq!(
            (error.component.as_str(), error.error.as_str()),
            ("eu/curious", "count: three")
        );
        assert!(summary.into_result().is_ok(), "a reported error ends nothing");
    }
}

/// Emits its settings.
#[derive(Clone)]
struct Configured(Option<Context>);

impl Bolt for Configured {
    type Input = String;
    type Output = String;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, key: String, out: &Emitter<String>) -> Result {
        let cx = self.0.as_ref().expect("it was prepared");
        let said = match cx.config::<u64>(&key) {
            Ok(number) => format!("{key} is {number}"),
            Err(why) => why.chain(),
        };
        out.emit(said).await
    }
}

#[test]
fn settings_of_the_component_come_before_those_of_the_topology() {
    let (feed, capture) = (feed_of(["a", "b", "c", "d"].map(str::to_owned)), Capture::new());
    let mut t = Topology::new("config");
    t.config("a", 1).config("b", 2);
    let keys = t.spout("keys", feed.spout()).config("a", 9);
    let told = t.bolt("told", Configured(None), keys.shuffle()).config("b", 3).config("c", "x");
    let _ = t.bolt("sink", capture.bolt(), told.shuffle());
    run_to_end(cluster(t, 1, true));
    let expected = [
        "a is 1",
        "b is 3",
        "setting `c` is `x`: invalid digit found in string",
        "`told` needs the setting `d`",
    ];
    assert_eq!(capture.taken(), expected);
}

/// Counts keys; panics at a number, if it has the state.
#[derive(Clone, Default)]
struct Count {
    counts: Keyed<u64, u64>,
    forgets: bool,
    panics_at: Option<u64>,
}

impl Bolt for Count {
    type Input = u64;
    type Output = u64;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        if !self.forgets {
            stores.keyed("counts", &mut self.counts);
        }
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        assert_ne!(Some(n), self.panics_at, "told to panic");
        let count = self.counts.entry(n % 10, || 0);
        *count += 1;
        out.emit((n % 10) * 1000 + *count).await
    }
}

#[test]
fn keyed_state_has_every_key_on_one_task() {
    for fuse in [true, false] {
        let capture = Capture::new();
        let mut t = Topology::new("keyed");
        let numbers = t.spout("numbers", feed_of(0..100u64).spout());
        let by_digit = numbers.by_key(|n, key| {
            key.add(&(n % 10));
        });
        let counts = t.bolt("count", Count::default(), by_digit).tasks(4);
        let _ = t.bolt("sink", capture.bolt(), counts.shuffle());
        run_to_end(cluster(t, 7, fuse));
        let expected = (0..10).flat_map(|digit| (1..=10).map(move |n| digit * 1000 + n));
        assert_eq!(sorted(&capture), expected.collect::<Vec<u64>>());
    }
}

#[test]
fn keyed_state_starts_empty_after_a_restart() {
    let capture = Capture::new();
    let mut t = Topology::new("keyed");
    let numbers = t.spout("numbers", feed_of([10, 20, 666, 30]).spout());
    let count = Count { panics_at: Some(666), ..Count::default() };
    let counts = t.bolt("count", count, numbers.by(|n| n));
    let _ = t.bolt("sink", capture.bolt(), counts.shuffle());
    run_to_end(cluster(t, 7, true));
    assert_eq!(capture.taken(), [1, 2, 1]);
}

#[test]
fn state_that_was_not_named_is_named_in_the_error() {
    let feed = feed_of([10u64]);
    let mut t = Topology::new("keyed");
    let numbers = t.spout("numbers", feed.spout());
    let count = Count { forgets: true, ..Count::default() };
    let _ = t.bolt("count", count, numbers.by(|n| n));
    run_to_end(cluster(t, 7, true));
    let (_, why) = &feed.failed()[0];
    assert!(why.to_string().contains("name it in the bolt's `fn state`"), "{why}");
}
