//! A topology on threads that is stopped at any moment keeps its books.

use std::time::Duration;

use tormenta::{Options, Topology, bolts::func, prelude::*};
use tormenta_runtime::Rng;

use crate::support::{Seen, in_order, pause, wait};

/// Counts up for ever, and remembers what it is told.
#[derive(Clone)]
struct Told {
    next: u64,
    acked: Seen<u64>,
    failed: Seen<u64>,
}

impl Spout for Told {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        self.next += 1;
        Ok(Some((self.next, self.next)))
    }

    fn acked(&mut self, id: u64) {
        self.acked.add(id);
    }

    fn failed(&mut self, id: u64, _why: Failure) {
        self.failed.add(id);
    }
}

/// Runs a chain for a moment and ends it. What is acked must have been executed.
fn stop_after(moment: Duration, unfused: bool, cut: bool) {
    let (acked, failed, executed) = (Seen::default(), Seen::default(), Seen::default());
    let mut t = Topology::new("stop");
    let spout = Told { next: 0, acked: acked.clone(), failed: failed.clone() };
    let numbers = t.spout("numbers", spout).pending_max(2000);
    let pass = || func(async |n: u64, out: &Emitter<u64>| out.emit(n).await);
    let first = t.bolt("first", pass(), numbers.shuffle());
    let second = t.bolt("second", pass(), first.by(|n| n)).fuse(unfused);
    let third = t.bolt("third", pass(), second.shuffle());
    let note = executed.clone();
    let sink = func(async move |n: u64, _: &Emitter<()>| {
        note.add(n);
        Ok(())
    });
    let _ = t.bolt("sink", sink, third.shuffle());
    let mut options = Options::default();
    options.unfused = unfused;
    options.cores = Some(2);
    let running = tormenta::start(t, options).expect("a sound topology");
    pause(moment);
    if cut {
        running.cut();
    } else {
        running.drain();
    }
    let summary = wait(running);
    let c = &summary.metrics.components[0];
    assert_eq!(c.acked + c.failed, c.emitted, "{moment:?} {unfused} {cut} {c:?}");
    assert_eq!((acked.len() as u64, failed.len() as u64), (c.acked, c.failed));
    assert!(cut || c.failed == 0, "a drain fails nothing: {c:?}");
    let (acked, executed) = (in_order(acked.all()), in_order(executed.all()));
    let lost = acked.iter().filter(|n| executed.binary_search(n).is_err()).count();
    assert_eq!(lost, 0, "acked but not executed, {moment:?} {unfused} {cut}");
    assert!(acked.windows(2).all(|pair| pair[0] < pair[1]), "acked twice");
}

#[test]
fn stopped_at_a_hundred_moments_it_keeps_its_books() {
    let mut rng = Rng::new(1);
    for round in 0..100 {
        let moment = Duration::from_micros(rng.below(20_000) as u64);
        stop_after(moment, round % 2 == 0, round % 4 < 2);
    }
}

/// Ends the topology at the tenth tuple.
#[derive(Clone)]
struct Enough {
    seen: Seen<u64>,
    cx: Option<Context>,
}

impl Bolt for Enough {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, _out: &Emitter<()>) -> Result {
        self.seen.add(n);
        if let (10, Some(cx)) = (n, &self.cx) {
            cx.drain();
        }
        Ok(())
    }
}

#[test]
fn a_component_that_has_enough_ends_an_endless_topology() {
    for unfused in [false, true] {
        let (acked, seen) = (Seen::default(), Seen::default());
        let mut t = Topology::new("enough");
        let spout = Told { next: 0, acked: acked.clone(), failed: Seen::default() };
        let numbers = t.spout("numbers", spout).pending_max(100);
        let enough = Enough { seen: seen.clone(), cx: None };
        t.bolt("enough", enough, numbers.shuffle()).fuse(!unfused);
        let summary = wait(tormenta::start(t, Options::default()).expect("a sound topology"));
        let c = &summary.metrics.components[0];
        assert!(summary.error.is_none() && c.failed == 0, "{summary:?}");
        assert_eq!(c.acked, c.emitted, "what was emitted was processed");
        assert_eq!(seen.len() as u64, c.emitted);
    }
}
