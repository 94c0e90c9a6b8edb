//! Every grouping sends a tuple where it says.

use std::collections::{BTreeMap, BTreeSet};

use tormenta::{Edge, KeyGroup, Topology, bolts::func, grouping::Grouping, prelude::*};

use crate::support::{Seen, cluster, feed_of, in_order, run_to_end};

/// Notes which task gets what.
#[derive(Clone)]
struct Where {
    seen: Seen<(usize, u64)>,
    task: usize,
}

impl Bolt for Where {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.task = cx.task();
        Ok(())
    }

    async fn execute(&mut self, n: u64, _out: &Emitter<()>) -> Result {
        self.seen.add((self.task, n));
        Ok(())
    }
}

/// Where the numbers below `numbers` go, and how many of them are acked.
fn places(
    numbers: u64,
    (sources, tasks): (usize, usize),
    grouping: impl Fn(&Stream<u64>) -> Edge<u64>,
) -> Vec<(usize, u64)> {
    let runs = [true, false].map(|fuse| {
        let (feed, seen) = (feed_of(0..numbers), Seen::default());
        let mut t = Topology::new("groupings");
        let spout = t.spout("numbers", feed.spout()).tasks(sources);
        let _ =
            t.bolt("where", Where { seen: seen.clone(), task: 0 }, grouping(&spout)).tasks(tasks);
        run_to_end(cluster(t, 11, fuse));
        assert_eq!(feed.acked().len() as u64, numbers, "all are acked");
        seen.all()
    });
    let [fused, unfused] = runs;
    let values = |run: &[(usize, u64)]| in_order(run.iter().map(|(_, n)| *n).collect());
    assert_eq!(values(&fused), values(&unfused));
    unfused
}

fn tasks_of(places: &[(usize, u64)]) -> BTreeMap<u64, BTreeSet<usize>> {
    let mut tasks: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
    for (task, n) in places {
        tasks.entry(*n).or_default().insert(*task);
    }
    tasks
}

fn loads(places: &[(usize, u64)], tasks: usize) -> Vec<usize> {
    (0..tasks).map(|task| places.iter().filter(|(t, _)| *t == task).count()).collect()
}

#[test]
fn shuffle_is_even() {
    for sources in [1, 3] {
        let places = places(4000, (sources, 4), Stream::shuffle);
        let loads = loads(&places, 4);
        assert!(loads.iter().all(|load| (800..=1200).contains(load)), "{loads:?}");
    }
}

#[test]
fn none_and_local_or_shuffle_reach_somebody_once() {
    for grouping in [Stream::none, Stream::local_or_shuffle] {
        let places = places(1000, (2, 3), grouping);
        assert_eq!(
            in_order(places.iter().map(|(_, n)| *n).collect()),
            (0..1000).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_same_key_goes_to_the_task_that_owns_its_group() {
    let places = places(2000, (2, 5), |numbers| {
        numbers.by_key(|n, key| {
            key.add(&(n % 100));
        })
    });
    for (task, n) in &places {
        assert_eq!(*task, KeyGroup::of(&(n % 100)).owner(5));
    }
    assert_eq!(loads(&places, 5).iter().filter(|load| **load > 0).count(), 5);
}

#[test]
fn a_partial_key_has_two_tasks_and_spreads_evenly() {
    let places = places(3000, (1, 5), |numbers| numbers.partial_by(|_| &7u64));
    let used: BTreeSet<usize> = places.iter().map(|(task, _)| *task).collect();
    assert_eq!(used.len(), 2, "{used:?}");
    let loads = loads(&places, 5);
    assert!(loads.iter().all(|load| *load == 0 || (1490..=1510).contains(load)), "{loads:?}");
}

#[test]
fn all_goes_everywhere_and_global_to_the_first() {
    let everywhere = tasks_of(&places(100, (1, 3), Stream::all));
    assert!(everywhere.len() == 100 && everywhere.values().all(|tasks| tasks.len() == 3));
    assert!(places(100, (2, 3), Stream::global).iter().all(|(task, _)| *task == 0));
}

/// So many tasks from the number on, and one of them twice.
#[derive(Clone)]
struct Some3;

impl Grouping<u64> for Some3 {
    fn choose(&mut self, n: &u64, tasks: usize, chosen: &mut Vec<usize>) {
        let first = *n as usize;
        chosen.extend((first..first + first % 3).map(|task| task % tasks));
    }
}

#[test]
fn a_custom_grouping_may_choose_none_or_several() {
    for tasks in [1, 4] {
        let places = places(300, (1, tasks), |numbers| numbers.custom(Some3));
        let mut expected = Vec::new();
        for n in 0..300u64 {
            let first = n as usize;
            expected.extend((first..first + first % 3).map(|task| (task % tasks, n)));
        }
        assert_eq!(in_order(places), in_order(expected), "{tasks} tasks");
    }
}

#[test]
fn a_direct_emit_names_the_task() {
    for fuse in [true, false] {
        let (feed, seen) = (feed_of(0..100u64), Seen::default());
        let mut t = Topology::new("direct");
        let numbers = t.spout("numbers", feed.spout());
        let deal =
            func(async |n: u64, out: &Emitter<u64>| out.emit_direct(n as usize % 4, n).await);
        let deal = t.bolt("deal", deal, numbers.by(|n| n));
        let _ = t.bolt("where", Where { seen: seen.clone(), task: 0 }, deal.direct()).tasks(4);
        run_to_end(cluster(t, 1, fuse));
        assert_eq!(in_order(feed.acked()).len(), 100);
        assert!(seen.len() == 100 && seen.all().iter().all(|(task, n)| *task == *n as usize % 4));
    }
}

/// Whoever reads a stream otherwise is not disturbed by a direct emit into it.
#[test]
fn a_direct_emit_completes_its_tree_at_every_reader() {
    for fuse in [true, false] {
        let (feed, direct, other) = (feed_of(0..100u64), Seen::default(), Seen::default());
        let mut t = Topology::new("direct");
        let numbers = t.spout("numbers", feed.spout());
        let deal =
            func(async |n: u64, out: &Emitter<u64>| out.emit_direct(n as usize % 4, n).await);
        let deal = t.bolt("deal", deal, numbers.by(|n| n)).fuse(false);
        let _ = t.bolt("direct", Where { seen: direct.clone(), task: 0 }, deal.direct()).tasks(4);
        let _ = t.bolt("other", Where { seen: other.clone(), task: 0 }, deal.shuffle());
        run_to_end(cluster(t, 1, fuse));
        assert_eq!((direct.len(), other.len()), (100, 100));
        assert_eq!(feed.failed(), []);
    }
}
