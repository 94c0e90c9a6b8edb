//! Results that are open, and what goes on meanwhile.

use std::time::Duration;

use tormenta::{Holds, Retry, Topology, prelude::*, testkit::Feed};
use tormenta_runtime::faults;

use crate::{
    support::{cluster, failures, ms, of, push_all, run_on, run_to_end},
    t30_results::{Fate, Keeper, Sink, Tens},
};

/// Holds what it gets until the next tick.
#[derive(Clone, Default)]
struct Later(Holds<()>);

impl Bolt for Later {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, _: u64, out: &Emitter<()>) -> Result {
        out.hold_into(&mut self.0);
        Ok(())
    }

    async fn tick(&mut self, _: &Emitter<(), Free>) -> Result {
        self.0.take().ack();
        Ok(())
    }
}

#[test]
fn each_task_is_woken_by_the_acks_of_its_results() {
    let feed = Feed::new();
    push_all(&feed, 0..100u64);
    let mut t = Topology::new("results");
    let numbers = t.spout("numbers", feed.spout());
    // Who wakes the other one does not notice.
    let tens = t.bolt("tens", Tens::default(), numbers.by(|_| "one")).tasks(2);
    let _ = t.bolt("later", Later::default(), tens.by(|n| n)).tick(ms(50));
    let mut cluster = cluster(t, 1, false);
    cluster.advance(ms(40));
    assert_eq!(cluster.metrics().component("tens").expect("there").pending, 10);
    cluster.advance(ms(60));
    assert_eq!(cluster.metrics().component("tens").expect("there").pending, 0);
}

#[test]
fn more_ledgers_than_there_are_numbers_for_are_refused() {
    let mut t = Topology::new("results");
    let numbers = t.spout("numbers", Feed::<u64>::new().spout());
    let tens = t.bolt("tens", Tens::default(), numbers.shuffle()).concurrent(5_000).tasks(2);
    let _ = t.bolt("keeper", Keeper::default(), tens.by(|n| n));
    let why = t.plan().expect_err("too many").to_string();
    assert!(why.contains("`tens`") && why.contains("8192"), "{why}");
}

/// Makes a result of the first number, and ponders over all others.
#[derive(Clone, Default)]
struct Ponders(Option<Context>);

impl Bolt for Ponders {
    type Input = u64;
    type Output = u64;

    fn retry(&self) -> Option<Retry> {
        Some(Retry::default())
    }

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        match (n, &self.0) {
            (0, _) => out.emit_result(n).await,
            (_, Some(cx)) => {
                cx.sleep(Duration::from_secs(20)).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn tick(&mut self, _out: &Emitter<u64, Free>) -> Result {
        if let Some(cx) = &self.0 {
            cx.sleep(Duration::from_secs(20)).await;
        }
        Ok(())
    }
}

#[test]
fn a_result_that_fails_does_not_wait_for_what_its_bolt_is_at() {
    for (fuse, ticks) in [(true, true), (false, true), (true, false), (false, false)] {
        let (feed, sink) = (Feed::new(), Sink::new(|_, before| [Fate::Fails, Fate::Fine][before]));
        push_all(&feed, 0..if ticks { 1 } else { 2 });
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let ponders = t.bolt("ponders", Ponders::default(), numbers.shuffle());
        let ponders = if ticks { ponders.tick(ms(1)) } else { ponders };
        let _ = t.bolt("sink", sink.clone(), ponders.by(|n| n)).tasks(if fuse { 1 } else { 2 });
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(Duration::from_secs(5));
        assert_eq!(sink.seen.len(), 2, "fuse {fuse}, ticks {ticks}");
    }
}

#[test]
fn what_waits_for_results_does_not_expire() {
    for fuse in [true, false] {
        let feed = Feed::new();
        push_all(&feed, 0..95u64);
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle()).hold_timeout(ms(900));
        let _ = t.bolt("keeper", Keeper::default(), tens.by(|n| n));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(Duration::from_secs(5));
        let failed: Vec<u64> = failures(&feed).into_iter().map(|(number, _)| number).collect();
        assert_eq!(failed, (90..95).collect::<Vec<_>>(), "those that the bolt still holds");
    }
}

/// Cannot be prepared, but takes its time.
#[derive(Clone)]
struct Breaks;

impl Bolt for Breaks {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        cx.sleep(ms(500)).await;
        Err(Error::msg("no"))
    }

    async fn execute(&mut self, _: u64, _out: &Emitter<()>) -> Result {
        Ok(())
    }
}

#[test]
fn a_topology_that_breaks_off_ends_though_results_are_open() {
    for seed in 1..=20 {
        let (feed, other) = (Feed::new(), Feed::<u64>::new());
        push_all(&feed, 0..100u64);
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle());
        let _ = t.bolt("keeper", Keeper::default(), tens.by(|n| n)).tasks(1 + seed as usize % 2);
        let other = t.spout("other", other.spout());
        let _ = t.bolt("breaks", Breaks, other.shuffle());
        let summary = run_to_end(cluster(t, seed, seed % 3 == 0));
        assert!(summary.error.is_some() && summary.cut_off.is_empty());
        assert_eq!((feed.acked().len(), feed.failed().len()), (0, 100), "seed {seed}");
    }
}

#[test]
fn what_waits_for_results_counts_right_where_the_engine_breaks() {
    for fuse in [true, false] {
        let feed = Feed::new();
        push_all(&feed, 0..100u64);
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle());
        let _ = t.bolt("keeper", Keeper::default(), tens.by(|n| n));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(500));
        faults::break_at(Some(faults::Breach::Bolt));
        push_all(&feed, 0..100u64);
        let summary = run_on(&mut cluster);
        faults::break_at(None);
        assert!(summary.error.is_some());
        let held = of(&summary, "tens").held;
        assert!(held < 200, "fuse {fuse}: {held}");
    }
}
