//! A tuple whose ticket fails has failed, in the metrics of the bolt that held it as well; and each
//! tuple fails once, whatever happens to it.

use tormenta::{Holds, Topology, metrics::ComponentMetrics, prelude::*};

use crate::{
    support::{cluster, feed_of, ms, of, run_on, run_to_end},
    t30_tickets::Tickets,
};

/// What becomes of a number by its rest by 10, and of its tickets.
#[derive(Clone, Default)]
struct Holder {
    kept: Tickets,
}

impl Bolt for Holder {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        match n % 10 {
            0 => out.hold().ack(),
            1 => out.hold().fail("no"),
            2 => drop(out.hold()),
            3 => {
                let _ticket = out.hold();
                return Err(Error::msg("while it was held"));
            }
            4 => {
                self.kept.0.push(out.hold()); // fails at the end
                return Err(Error::msg("before its ticket"));
            }
            5 => {
                let (one, two) = (out.hold(), out.hold());
                one.fail("first");
                two.fail("second");
            }
            6 => {
                let (one, two) = (out.hold(), out.hold());
                one.ack();
                two.fail("one is enough");
            }
            7 => self.kept.0.push(out.hold()),
            8 => return Err(Error::msg("not held")),
            _ => {}
        }
        Ok(())
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.kept.0.drain(..).for_each(|ticket| ticket.fail("the end"));
        Ok(())
    }
}

fn counts(c: &ComponentMetrics) -> [u64; 3] {
    [c.executed, c.acked, c.failed]
}

/// Three tuples for each root, so that neighbours share their tree.
fn thrice() -> impl Bolt<Input = u64, Output = u64> {
    tormenta::bolts::func(async |n: u64, out: &Emitter<u64>| {
        for _ in 0..3 {
            out.emit(n).await?;
        }
        Ok(())
    })
}

#[test]
fn a_tuple_fails_once_whatever_fails_of_it() {
    for (seed, fuse) in (0..8).flat_map(|seed| [(seed, true), (seed, false)]) {
        let feed = feed_of(0..100u64);
        let mut t = Topology::new("failed");
        let numbers = t.spout("numbers", feed.spout());
        let alone = t.bolt("alone", Holder::default(), numbers.shuffle());
        let copies = t.bolt("thrice", thrice(), numbers.shuffle());
        let _ = t.bolt("copies", Holder::default(), copies.shuffle());
        let _ = alone;
        let summary = run_to_end(cluster(t, seed, fuse));
        // Of ten, only 0 and 9 are acked.
        assert_eq!(counts(of(&summary, "alone")), [100, 20, 80], "seed {seed}, fuse {fuse}");
        assert_eq!(counts(of(&summary, "copies")), [300, 60, 240], "seed {seed}, fuse {fuse}");
    }
}

/// Keeps everything, and panics at 50.
#[derive(Clone, Default)]
struct Clumsy(Tickets);

impl Bolt for Clumsy {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.0.0.push(out.hold());
        assert!(n != 50, "told to panic");
        Ok(())
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.0.0.drain(..).for_each(Ticket::ack);
        Ok(())
    }
}

#[test]
fn what_a_panic_drops_has_failed_and_the_rest_has_not() {
    for fuse in [true, false] {
        let mut t = Topology::new("dropped");
        let numbers = t.spout("numbers", feed_of(0..100u64).spout());
        let _ = t.bolt("clumsy", Clumsy::default(), numbers.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(counts(of(&summary, "clumsy")), [100, 49, 51], "fuse {fuse}");
    }
}

/// Keeps everything for ever.
#[derive(Clone, Default)]
struct Miser(Tickets);

impl Bolt for Miser {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _n: u64, out: &Emitter<u64>) -> Result {
        self.0.0.push(out.hold());
        Ok(())
    }
}

#[test]
fn what_expires_has_failed_and_does_not_fail_again() {
    for fuse in [true, false] {
        let mut t = Topology::new("expired");
        let numbers = t.spout("numbers", feed_of(0..30u64).spout());
        let _ = t.bolt("miser", Miser::default(), numbers.shuffle()).hold_timeout(ms(200));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(1_000));
        assert_eq!(counts(&cluster.metrics().components[1]), [30, 0, 30], "fuse {fuse}");
        let summary = run_on(&mut cluster);
        assert_eq!(counts(of(&summary, "miser")), [30, 0, 30], "fuse {fuse}");
    }
}

/// Settles every ten together: those of the second ten fail.
#[derive(Clone, Default)]
struct Sets(u64, Holds<u64>);

impl Bolt for Sets {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _n: u64, out: &Emitter<u64>) -> Result {
        out.hold_into(&mut self.1);
        if self.1.len() == 10 {
            let set = self.1.take();
            self.0 += 1;
            if self.0 == 2 { set.fail("the second ten") } else { set.ack() }
        }
        Ok(())
    }
}

#[test]
fn a_set_that_fails_is_as_many_tuples_as_it_holds() {
    for fuse in [true, false] {
        let mut t = Topology::new("sets");
        let numbers = t.spout("numbers", feed_of(0..40u64).spout());
        let _ = t.bolt("sets", Sets::default(), numbers.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(counts(of(&summary, "sets")), [40, 30, 10], "fuse {fuse}");
    }
}
