//! A spout may panic as well: in `next`, and when it is told how a tuple ended.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tormenta::{Topology, bolts::func, prelude::*, testkit::Capture};

use crate::support::{Seen, cluster, in_order, of, run_to_end};

/// A spout that panics: in `next` at some numbers, or when it is told of some.
#[derive(Clone)]
struct FragileSpout {
    next: Arc<AtomicU64>,
    panics_at: (&'static str, u64),
    told: Seen<(bool, u64)>,
}

impl FragileSpout {
    fn at(&self, method: &str, n: u64) {
        assert!(self.panics_at != (method, n) || n == 0, "told to panic in {method}");
    }
}

impl Spout for FragileSpout {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        if n >= 40 {
            return Ok(None);
        }
        self.at("next", n);
        Ok(Some((n, n)))
    }

    fn acked(&mut self, n: u64) {
        self.told.add((true, n));
        self.at("acked", n);
    }

    fn failed(&mut self, n: u64, _why: Failure) {
        self.told.add((false, n));
        self.at("failed", n);
    }
}

#[test]
fn a_spout_may_panic_and_everybody_else_is_told() {
    for (fuse, method) in
        [true, false].into_iter().flat_map(|f| ["next", "acked", "failed"].map(|m| (f, m)))
    {
        for at in [3, 10, 13] {
            let told = Seen::default();
            let spout =
                FragileSpout { next: Arc::default(), panics_at: (method, at), told: told.clone() };
            let mut t = Topology::new("panics");
            let numbers = t.spout("numbers", spout);
            let picky = func(async |n: u64, out: &Emitter<u64>| match n % 10 {
                3 => Err(Error::msg("three")),
                _ => out.emit(n).await,
            });
            let picky = t.bolt("picky", picky, numbers.shuffle());
            let _ = t.bolt("sink", Capture::new().bolt(), picky.shuffle());
            let summary = run_to_end(cluster(t, at, fuse));
            let emitted = (0..40).filter(|n| (method, *n) != ("next", at));
            let expected: Vec<(bool, u64)> = emitted.map(|n| (n % 10 != 3, n)).collect();
            assert_eq!(in_order(told.all()), in_order(expected), "{method} {at} {fuse}");
            let c = of(&summary, "numbers");
            assert_eq!(c.acked + c.failed, c.emitted);
            let panicked = method == "next" || (method == "failed") == (at % 10 == 3);
            assert_eq!(c.restarts, u64::from(panicked), "{method} {at} {fuse}");
        }
    }
}
