//! Tickets in hands that did not take them.

use std::sync::{Arc, Mutex, PoisonError};

use tormenta::{
    Topology,
    prelude::*,
    testkit::{Capture, Feed},
};

use super::support::{cluster, ms};

/// Where the tickets of one task lie in the sight of others.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Ticket<u64>>>>);

impl Shelf {
    fn put(&self, ticket: Ticket<u64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ticket);
    }

    fn take(&self) -> Vec<Ticket<u64>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone)]
struct Put(Shelf);

impl Bolt for Put {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _: u64, out: &Emitter<u64>) -> Result {
        self.0.put(out.hold());
        Ok(())
    }
}

/// Emits for the tickets of somebody else.
#[derive(Clone)]
struct Take(Shelf);

impl Bolt for Take {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _: u64, _: &Emitter<u64>) -> Result {
        Ok(())
    }

    async fn tick(&mut self, out: &Emitter<u64, Free>) -> Result {
        let held = self.0.take();
        if held.is_empty() {
            return Ok(());
        }
        let emitted = out.emit_for(&held, 99).await;
        held.into_iter().for_each(Ticket::ack);
        emitted
    }
}

#[derive(Clone)]
struct No(Option<Context>);

impl Bolt for No {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, _: u64, _: &Emitter<()>) -> Result {
        self.0.as_ref().expect("it was prepared").sleep(ms(20)).await;
        Err(Error::msg("no"))
    }
}

#[test]
fn nobody_emits_for_the_ticket_of_another_task() {
    for seed in 0..20 {
        let shelf = Shelf::default();
        let (feed, other) = (Feed::<u64>::new(), Feed::<u64>::new());
        let mut t = Topology::new("shelf");
        let numbers = t.spout("numbers", feed.spout());
        let others = t.spout("others", other.spout());
        t.bolt("put", Put(shelf.clone()), numbers.shuffle());
        let taken = t.bolt("take", Take(shelf), others.shuffle()).tick(ms(10));
        t.bolt("no", No(None), taken.shuffle());
        feed.push(7);
        let mut c = cluster(t, seed, false);
        c.advance(ms(60_000));
        // The emit is refused and reported; the ticket is its holder's, so its ack counts.
        assert_eq!(of_no(&c), 0, "nothing was emitted in a tree that could end before it");
        let refused = c.errors().iter().any(|error| error.error.contains("another task"));
        assert!(refused, "{:?}", c.errors());
    }
}

fn of_no(c: &tormenta::LocalCluster) -> u64 {
    c.metrics().component("no").map_or(0, |no| no.executed)
}

/// Forgets to await the emit that is refused, then goes on.
#[derive(Clone)]
struct Forget(Shelf);

impl Bolt for Forget {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _: u64, _: &Emitter<u64>) -> Result {
        Ok(())
    }

    async fn tick(&mut self, out: &Emitter<u64, Free>) -> Result {
        let held = self.0.take();
        if held.is_empty() {
            return Ok(());
        }
        drop(out.emit_for(&held, 99));
        held.into_iter().for_each(Ticket::ack);
        for n in 0..1_000 {
            out.emit_free(n).await?; // more than a batch: some of these wait
        }
        Ok(())
    }
}

#[test]
fn a_refusal_that_nobody_awaits_is_not_the_next_emits() {
    let shelf = Shelf::default();
    let (feed, other, capture) = (Feed::<u64>::new(), Feed::<u64>::new(), Capture::new());
    let mut t = Topology::new("shelf");
    let numbers = t.spout("numbers", feed.spout());
    let others = t.spout("others", other.spout());
    t.bolt("put", Put(shelf.clone()), numbers.shuffle());
    let taken = t.bolt("take", Forget(shelf), others.shuffle()).tick(ms(10));
    t.bolt("sink", capture.bolt(), taken.shuffle());
    feed.push(7);
    let mut c = cluster(t, 1, false);
    c.advance(ms(1_000));
    assert_eq!(c.errors().len(), 0, "{:?}", c.errors());
    assert_eq!(capture.taken().len(), 1_000);
}
