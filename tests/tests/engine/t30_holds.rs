//! How long a tuple may be held.

use std::time::Duration;

use tormenta::{Topology, prelude::*, testkit::Feed};

use crate::{
    support::{cluster, failures, ms, push_all},
    t30_tickets::Tickets,
};

/// Holds everything, and touches even numbers every 50 ms.
#[derive(Clone, Default)]
struct Miser(Vec<u64>, Tickets);

impl Bolt for Miser {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.0.push(n);
        self.1.0.push(out.hold());
        Ok(())
    }

    async fn tick(&mut self, _out: &Emitter<u64, Free>) -> Result {
        let even = self.0.iter().zip(&self.1.0).filter(|(n, _)| *n % 2 == 0);
        even.for_each(|(_, ticket)| ticket.touch());
        Ok(())
    }
}

#[test]
fn a_held_tuple_expires_unless_it_is_touched() {
    for fuse in [true, false] {
        let feed = Feed::<u64>::new();
        push_all(&feed, 0..10);
        let mut t = Topology::new("held");
        let numbers = t.spout("numbers", feed.spout());
        let miser = t.bolt("miser", Miser::default(), numbers.shuffle());
        let _ = miser.tick(ms(50)).hold_timeout(ms(200));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(190));
        assert!(feed.failed().is_empty());
        cluster.advance(ms(110));
        let expired: Vec<_> =
            (0..5).map(|i| (2 * i + 1, "`miser[0]` held it for too long".into())).collect();
        assert_eq!(failures(&feed), expired);
        cluster.advance(Duration::from_secs(100));
        assert_eq!(feed.failed().len(), 5, "what is touched lives");
        assert_eq!(cluster.metrics().components[0].pending, 5);
        assert_eq!(cluster.metrics().components[1].held, 10);
    }
}

#[test]
fn a_held_tuple_lives_for_ever_without_a_hold_timeout() {
    let feed = Feed::<u64>::new();
    feed.push(1);
    let mut t = Topology::new("held");
    let numbers = t.spout("numbers", feed.spout());
    let _ = t.bolt("miser", Miser::default(), numbers.by(|n| n));
    let mut cluster = cluster(t, 1, true);
    cluster.advance(Duration::from_secs(3600));
    assert!(feed.failed().is_empty() && feed.acked().is_empty());
}
