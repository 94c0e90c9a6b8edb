//! Sets of held tuples: the law of tickets, in less memory.

use std::time::Duration;

use tormenta::{
    Holds, Retry, Topology,
    bolts::{filter, flat_map, map},
    prelude::*,
    testkit::{BoltTest, Capture, Feed},
};

use crate::support::{
    Seen, cluster, failures, feed_of, full_batches, in_order, ms, of, push_all, run_to_end,
};

/// Holds tuples in sets, or by tickets, and settles them in groups: acked, failed or dropped.
#[derive(Clone)]
struct Groups {
    by_tickets: bool,
    /// Holds two groups at a time, so that neighbours go to different sets.
    spread: bool,
    sets: [Holds<u64>; 2],
    tickets: [Held; 2],
    words: Seen<usize>,
    groups: u64,
}

#[derive(Default)]
struct Held(Vec<Ticket<u64>>);

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Groups {
    fn new(by_tickets: bool, spread: bool) -> Self {
        let (sets, tickets) = Default::default();
        Self { by_tickets, spread, sets, tickets, words: Seen::default(), groups: 0 }
    }

    fn settle(&mut self, which: usize) {
        self.groups += 1;
        let (set, tickets) = (self.sets[which].take(), std::mem::take(&mut self.tickets[which].0));
        self.words.add(set.words());
        match self.groups % 4 {
            0 => {
                set.fail("no");
                tickets.into_iter().for_each(|ticket| ticket.fail("no"));
            }
            1 => drop((set, tickets)),
            _ => {
                set.ack();
                tickets.into_iter().for_each(Ticket::ack);
            }
        }
    }

    fn len(&self, which: usize) -> usize {
        self.sets[which].len() + self.tickets[which].0.len()
    }
}

impl Bolt for Groups {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        if n % 5 == 1 {
            return out.emit(n).await; // not held
        }
        let which = usize::from(self.spread && n.is_multiple_of(3));
        if self.by_tickets {
            self.tickets[which].0.push(out.hold());
        } else {
            out.hold_into(&mut self.sets[which]);
        }
        if n.is_multiple_of(7) {
            return Err(Error::msg("seven"));
        }
        if n.is_multiple_of(2) {
            out.emit(n).await?;
        }
        if self.len(which) >= 40 {
            self.settle(which);
        }
        Ok(())
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.settle(0);
        self.settle(1);
        Ok(())
    }
}

/// What the groups are fed through.
#[derive(Clone, Copy, Debug)]
enum Way {
    Straight,
    /// Through bolts that drop some tuples and double others.
    Around,
}

fn fates(way: Way, groups: Groups, seed: u64, fuse: bool) -> (Vec<u64>, Vec<(u64, String)>) {
    let (feed, capture) = (feed_of(0..3_000u64), Capture::new());
    let mut t = Topology::new("sets");
    let numbers = t.spout("numbers", feed.spout());
    let read = match way {
        Way::Straight => numbers.shuffle(),
        Way::Around => {
            let some = t.bolt("some", filter(|n: &u64| !n.is_multiple_of(11)), numbers.shuffle());
            let double = flat_map(|n: u64| vec![n; 1 + usize::from(n.is_multiple_of(13))]);
            t.bolt("double", double, some.shuffle()).shuffle()
        }
    };
    let groups = t.bolt("groups", groups, read);
    let _ = t.bolt("sink", capture.bolt(), groups.by(|n| n)).tasks(2);
    let summary = run_to_end(full_batches(t, seed, fuse));
    assert_eq!(of(&summary, "groups").held, 0);
    assert_eq!(summary.metrics.component("numbers").expect("there").pending, 0);
    (in_order(feed.acked()), failures(&feed))
}

#[test]
fn a_set_is_as_good_as_its_tickets() {
    for way in [Way::Straight, Way::Around] {
        for (fuse, spread, seed) in
            [(true, false, 1), (false, false, 2), (true, true, 3), (false, true, 4)]
        {
            let by_tickets = fates(way, Groups::new(true, spread), seed, fuse);
            let by_sets = fates(way, Groups::new(false, spread), seed, fuse);
            assert!(by_sets.0.len() > 500 && by_sets.1.len() > 500, "all kinds of fates");
            assert_eq!(by_sets, by_tickets, "{way:?}, fuse {fuse}, spread {spread}");
        }
    }
}

/// Holds everything to the end.
#[derive(Clone, Default)]
struct Miser {
    set: Holds<u64>,
    held: Seen<(usize, usize)>,
}

impl Bolt for Miser {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _n: u64, out: &Emitter<u64>) -> Result {
        out.hold_into(&mut self.set);
        Ok(())
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.held.add((self.set.len(), self.set.words()));
        self.set.take().ack();
        Ok(())
    }
}

#[test]
fn many_in_order_are_few_words() {
    const MANY: u64 = 50_000;
    for fuse in [true, false] {
        let (feed, miser) = (feed_of(0..MANY), Miser::default());
        let held = miser.held.clone();
        let mut t = Topology::new("sets");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("miser", miser, numbers.shuffle());
        run_to_end(full_batches(t, 1, fuse));
        assert_eq!(feed.acked().len(), MANY as usize);
        let [(len, words)] = held.all()[..] else { panic!("one finish") };
        assert!(len == MANY as usize && words < 100, "fuse {fuse}: {len} tuples, {words} words");
    }
}

#[test]
fn a_set_is_held_like_a_ticket_where_trees_have_several_anchors() {
    for fuse in [true, false] {
        let (feed, miser) = (feed_of(0..900u64), Miser::default());
        let held = miser.held.clone();
        let mut t = Topology::new("sets");
        let numbers = t.spout("numbers", feed.spout());
        let threes = t.bolt("threes", Threes::default(), numbers.shuffle());
        let _ = t.bolt("miser", miser, threes.shuffle());
        run_to_end(cluster(t, 1, fuse));
        assert_eq!(in_order(feed.acked()), (0..900).collect::<Vec<_>>());
        assert_eq!(held.all()[0].0, 300, "tuples, not anchors");
    }
}

/// One tuple for three.
#[derive(Default)]
struct Threes(Vec<Ticket<u64>>);

impl Clone for Threes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Bolt for Threes {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.0.push(out.hold());
        if self.0.len() == 3 {
            out.emit_for(&self.0, n).await?;
            self.0.drain(..).for_each(Ticket::ack);
        }
        Ok(())
    }
}

#[test]
fn what_a_set_holds_expires_unless_it_is_touched() {
    for fuse in [true, false] {
        let feed = Feed::<u64>::new();
        push_all(&feed, 0..10);
        let mut t = Topology::new("sets");
        let numbers = t.spout("numbers", feed.spout());
        let miser = t.bolt("miser", Miser::default(), numbers.shuffle());
        let _ = miser.hold_timeout(ms(200));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(190));
        assert!(feed.failed().is_empty());
        cluster.advance(ms(110));
        let why = "`miser[0]` held it for too long";
        let expired: Vec<_> = (0..10).map(|n| (n, why.to_owned())).collect();
        assert_eq!(failures(&feed), expired);
        assert_eq!(cluster.metrics().components[1].held, 1, "the set is still there");
        push_all(&feed, 10..12);
        cluster.advance(Duration::from_secs(10));
        assert_eq!(feed.failed().len(), 12, "what comes later expires later");
    }
}

/// Holds in a set, and panics once.
#[derive(Clone)]
struct Fragile(Miser, Seen<()>);

impl Bolt for Fragile {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.0.execute(n, out).await?;
        if n == 700 && self.1.len() == 0 {
            self.1.add(());
            panic!("once");
        }
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        self.0.finish(out).await
    }
}

#[test]
fn what_a_set_holds_is_replayed_when_its_task_restarts() {
    for fuse in [true, false] {
        let feed = feed_of(0..2_000u64);
        let mut t = Topology::new("sets");
        let numbers = t
            .spout("numbers", feed.spout())
            .replaying(Retry { attempts_max: 3, ..Retry::default() });
        let pass = t.bolt("pass", map(|n: u64| n), numbers.shuffle());
        let fragile = Fragile(Miser::default(), Seen::default());
        let held = fragile.0.held.clone();
        let _ = t.bolt("miser", fragile, pass.shuffle());
        let summary = run_to_end(full_batches(t, 5, fuse));
        assert_eq!(in_order(feed.acked()), (0..2_000).collect::<Vec<_>>());
        assert!(of(&summary, "numbers").replayed >= 701);
        assert_eq!(held.all()[0].0, 2_000, "the second life holds all of them");
    }
}

#[test]
fn the_test_kit_knows_sets() {
    let mut test = BoltTest::new(Miser::default()).input(1).input(2).input(3);
    assert_eq!(test.acked(), 0);
    test.finish();
    assert_eq!(test.acked(), 3);
}
