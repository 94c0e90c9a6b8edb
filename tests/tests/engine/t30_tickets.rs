//! Ownership is the ack: tickets, from any place and any thread.

use std::sync::mpsc;

use tormenta::{Options, Topology, bolts::func, prelude::*, testkit::Capture};

use crate::support::{Seen, cluster, failures, feed_of, in_order, run_to_end, sorted, wait};

/// Does one thing or another with its ticket.
fn settling() -> impl Bolt<Input = u64, Output = u64> {
    func(async |n: u64, out: &Emitter<u64>| {
        let ticket = out.hold();
        match n % 4 {
            0 => ticket.ack(),
            1 => ticket.fail("no"),
            2 => drop(ticket),
            _ => ticket.finish([n, n + 1]),
        }
        Ok(())
    })
}

fn expected_failures(numbers: u64) -> Vec<(u64, String)> {
    let bad = (0..numbers).filter(|n| matches!(n % 4, 1 | 2));
    let why =
        |n| if n % 4 == 1 { "`settle[0]` refused: no" } else { "`settle[0]` dropped the ticket" };
    bad.map(|n| (n, why(n).to_owned())).collect()
}

#[test]
fn tickets_are_settled_at_once() {
    for (fuse, seed) in [(true, 1), (false, 2)] {
        let (feed, capture) = (feed_of(0..100u64), Capture::new());
        let mut t = Topology::new("tickets");
        let numbers = t.spout("numbers", feed.spout());
        let settled = t.bolt("settle", settling(), numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), settled.by(|n| n)).tasks(2);
        run_to_end(cluster(t, seed, fuse));
        assert_eq!(failures(&feed), expected_failures(100));
        assert_eq!(feed.acked().len(), 50);
        assert_eq!(sorted(&capture).len(), 50);
    }
}

#[test]
fn tickets_are_settled_by_another_thread() {
    for unfused in [true, false] {
        let (give, take) = mpsc::channel::<(u64, Ticket<u64>)>();
        let helper = std::thread::spawn(move || {
            for (n, ticket) in take {
                match n % 4 {
                    0 => ticket.ack(),
                    1 => ticket.fail("no"),
                    2 => drop(ticket),
                    _ => ticket.finish([n, n + 1]),
                }
            }
        });
        let (feed, capture) = (feed_of(0..2000u64), Capture::new());
        let mut t = Topology::new("tickets");
        let numbers = t.spout("numbers", feed.spout());
        let give_away = func(async move |n: u64, out: &Emitter<u64>| {
            give.send((n, out.hold()))?;
            Ok(())
        });
        let settled = t.bolt("settle", give_away, numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), settled.by(|n| n)).tasks(2);
        let mut options = Options::default();
        options.unfused = unfused;
        let running = tormenta::start(t, options).expect("a sound topology");
        // The end waits for what is under way, not for what is held: all must be settled before.
        crate::support::until("settled", || {
            feed.acked().len() + feed.failed().len() == 2000 || running.has_ended()
        });
        let summary = wait(running);
        helper.join().expect("the helper ended");
        assert_eq!(feed.acked().len() + feed.failed().len(), 2000);
        let other = |(_, why): &(u64, String)| why != "the topology stopped";
        let failed: Vec<_> = failures(&feed).into_iter().filter(other).collect();
        assert!(failed.iter().all(|each| expected_failures(2000).contains(each)));
        assert!(feed.acked().iter().all(|n| matches!(n % 4, 0 | 3)), "{summary:?}");
    }
}

/// Gathers tuples and emits their sum, anchored to all of them.
#[derive(Clone, Default)]
struct Sum {
    held: Seen<()>,
    sum: u64,
    tickets: Tickets,
}

/// Tickets of one clone.
#[derive(Default)]
pub(crate) struct Tickets(pub(crate) Vec<Ticket<u64>>);

impl Clone for Tickets {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Bolt for Sum {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.sum += n;
        self.tickets.0.push(out.hold());
        self.held.add(());
        if self.tickets.0.len() == 10 {
            out.emit_for(&self.tickets.0, std::mem::take(&mut self.sum)).await?;
            self.tickets.0.drain(..).for_each(Ticket::ack);
        }
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        out.emit_for(&self.tickets.0, self.sum).await?;
        self.tickets.0.drain(..).for_each(Ticket::ack);
        Ok(())
    }
}

/// Each number three times, so that several tickets have the same root.
fn thrice() -> impl Bolt<Input = u64, Output = u64> {
    func(async |n: u64, out: &Emitter<u64>| {
        for _ in 0..3 {
            out.emit(n).await?;
        }
        Ok(())
    })
}

#[test]
fn a_tuple_for_several_tickets_completes_all_their_trees() {
    for seed in 0..20 {
        let (feed, capture) = (feed_of(0..101u64), Capture::new());
        let mut t = Topology::new("sums");
        let numbers = t.spout("numbers", feed.spout());
        let copies = t.bolt("thrice", thrice(), numbers.shuffle());
        let sums = t.bolt("sum", Sum::default(), copies.by(|n| n)).tasks(1 + seed as usize % 2);
        let again = t.bolt("again", Sum::default(), sums.shuffle());
        let _ = t.bolt("sink", capture.bolt(), again.shuffle());
        run_to_end(cluster(t, seed, seed % 4 < 2));
        assert_eq!(capture.taken().iter().sum::<u64>(), 3 * (0..101).sum::<u64>());
        assert_eq!(feed.failed(), []);
        assert_eq!(in_order(feed.acked()), (0..101).collect::<Vec<u64>>());
    }
}

#[test]
fn a_failure_of_a_joint_tuple_fails_all_their_trees() {
    for fuse in [true, false] {
        let feed = feed_of(0..30u64);
        let mut t = Topology::new("sums");
        let numbers = t.spout("numbers", feed.spout());
        let sums = t.bolt("sum", Sum::default(), numbers.shuffle());
        let picky = func(async |sum: u64, _: &Emitter<()>| match sum {
            145 => Err(Error::msg("the second ten")),
            _ => Ok(()),
        });
        let _ = t.bolt("picky", picky, sums.shuffle());
        run_to_end(cluster(t, 3, fuse));
        let failed: Vec<u64> = failures(&feed).into_iter().map(|(n, _)| n).collect();
        assert_eq!(failed, (10..20).collect::<Vec<u64>>());
    }
}

/// Emits for its tickets while the current tuple has many anchors of its own.
#[test]
fn a_tuple_for_tickets_leaves_the_current_tuple_its_anchors() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..40u64), Capture::new());
        let mut t = Topology::new("anchors");
        let numbers = t.spout("numbers", feed.spout());
        let sums = t.bolt("sum", Sum::default(), numbers.shuffle());
        let mut before = Tickets::default();
        let mix = func(async move |sum: u64, out: &Emitter<u64>| {
            let before = &mut before;
            before.0.push(out.hold());
            if before.0.len() == 2 {
                out.emit_for(&before.0, 0).await?;
                before.0.drain(..).for_each(Ticket::ack);
            }
            out.emit(sum).await
        });
        let mix = t.bolt("mix", mix, sums.shuffle());
        let picky = func(async |sum: u64, out: &Emitter<u64>| match sum {
            145 => Err(Error::msg("the second ten")),
            _ => out.emit(sum).await,
        });
        let picky = t.bolt("picky", picky, mix.shuffle());
        let _ = t.bolt("sink", capture.bolt(), picky.shuffle());
        run_to_end(cluster(t, 3, fuse));
        let failed: Vec<u64> = failures(&feed).into_iter().map(|(n, _)| n).collect();
        assert_eq!(failed, (10..20).collect::<Vec<u64>>(), "fuse {fuse}");
        assert_eq!(in_order(capture.taken()), [0, 0, 0, 45, 245, 345]);
    }
}
