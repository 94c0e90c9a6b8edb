//! A topology that is cut ends, whatever its components are doing, and acks nothing unprocessed.

use tormenta::{Options, RunError, Running, Topology, bolts::func, prelude::*, spouts::Sequence};

use crate::support::{Seen, Slow, cluster_with, ms, pause, run_on, until, wait};

fn start(t: Topology, unfused: bool) -> Running {
    let mut options = Options::default();
    options.unfused = unfused;
    options.cores = Some(2);
    tormenta::start(t, options).unwrap_or_else(|why: RunError| panic!("{why}"))
}

#[test]
fn a_spout_that_has_no_credit_is_cut() {
    for unfused in [true, false] {
        let mut t = Topology::new("cut");
        let numbers = t.spout("numbers", Sequence::endless());
        let _ = t.bolt("slow", Slow::new(|_, _| ms(5)), numbers.shuffle());
        let running = start(t, unfused);
        until("work", || running.metrics().sum(|c| c.executed) > 2);
        running.cut();
        let summary = wait(running);
        let numbers = &summary.metrics.components[0];
        assert_eq!(numbers.acked + numbers.failed, numbers.emitted, "{summary:?}");
    }
}

#[test]
fn a_bolt_that_has_no_credit_is_cut() {
    let mut t = Topology::new("cut");
    let numbers = t.spout("numbers", Sequence::endless());
    let copies = func(async |n: u64, out: &Emitter<u64>| {
        for _ in 0..100 {
            out.emit(n).await?;
        }
        Ok(())
    });
    let copies = t.bolt("copies", copies, numbers.shuffle());
    let _ = t.bolt("slow", Slow::new(|_, _| ms(5)), copies.shuffle());
    let running = start(t, true);
    until("work", || running.metrics().sum(|c| c.executed) > 100);
    running.cut();
    let summary = wait(running);
    let numbers = &summary.metrics.components[0];
    assert_eq!(numbers.acked + numbers.failed, numbers.emitted, "{summary:?}");
}

/// Waits for ever in one of its methods, or panics in `prepare` every time.
#[derive(Clone)]
struct Obstinate(&'static str);

impl Bolt for Obstinate {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, _cx: &Context) -> Result {
        assert_ne!(self.0, "panic", "it panics when it is prepared");
        self.sit("prepare").await
    }

    async fn execute(&mut self, _n: u64, _out: &Emitter<u64>) -> Result {
        self.sit("execute").await
    }

    async fn tick(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.sit("tick").await
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.sit("finish").await
    }
}

impl Obstinate {
    async fn sit(&self, method: &str) -> Result {
        if self.0 == method {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[test]
fn a_bolt_that_waits_for_ever_is_cut() {
    for method in ["prepare", "execute", "tick", "finish", "panic"] {
        for unfused in [true, false] {
            let mut t = Topology::new("cut");
            let numbers = t.spout("numbers", Sequence::up_to(100));
            let first = t.bolt("first", Slow::new(|_, _| ms(0)), numbers.shuffle()).tasks(2);
            let obstinate = Obstinate(method);
            let second = t.bolt("second", obstinate, first.shuffle()).tasks(2).tick(ms(1));
            let _ = t.bolt("third", Slow::new(|_, _| ms(0)), second.shuffle()).tasks(2);
            let running = start(t, unfused);
            pause(ms(30));
            running.cut();
            let summary = wait(running);
            let numbers = &summary.metrics.components[0];
            assert_eq!(numbers.acked + numbers.failed, numbers.emitted, "{method} {summary:?}");
        }
    }
}

#[test]
fn a_spout_that_panics_in_prepare_is_cut() {
    #[derive(Clone)]
    struct Unready;
    impl Spout for Unready {
        type Output = u64;
        type Id = u64;
        async fn prepare(&mut self, _cx: &Context) -> Result {
            panic!("never ready")
        }
        async fn next(&mut self) -> Result<Option<(u64, u64)>> {
            Ok(None)
        }
    }
    let mut t = Topology::new("cut");
    let numbers = t.spout("numbers", Unready);
    let _ = t.bolt("sink", Slow::new(|_, _| ms(0)), numbers.shuffle());
    let running = start(t, false);
    pause(ms(30));
    running.cut();
    assert!(wait(running).metrics.components[0].restarts > 0);
}

/// Nothing that a fused bolt has not executed may be acked when time is up.
#[test]
fn what_was_not_executed_is_not_acked_when_time_is_up() {
    for fuse in [true, false] {
        for seed in 0..20 {
            let (executed, acked, failed) = (Seen::default(), Seen::default(), Seen::default());
            let mut t = Topology::new("cut");
            let spout = Told { next: 0, acked: acked.clone(), failed: failed.clone() };
            let numbers = t.spout("numbers", spout);
            let slow = t.bolt("slow", Slow::new(|n, _| ms(n % 4)), numbers.shuffle());
            let note = executed.clone();
            let sink = func(async move |n: u64, _: &Emitter<()>| {
                note.add(n);
                Ok(())
            });
            let _ = t.bolt("sink", sink, slow.shuffle());
            let mut simulation = tormenta::Simulation::new(seed);
            simulation.fuse = fuse;
            simulation.drain_timeout = ms(3);
            let mut cluster = cluster_with(t, simulation);
            cluster.advance(ms(20));
            cluster.drain();
            let summary = run_on(&mut cluster);
            let executed = executed.all();
            let lost: Vec<_> = acked.all().into_iter().filter(|n| !executed.contains(n)).collect();
            assert!(lost.is_empty(), "acked but not executed: {lost:?}, seed {seed} fuse {fuse}");
            let ended = (acked.len() + failed.len()) as u64;
            assert_eq!(ended, summary.metrics.components[0].emitted, "seed {seed} fuse {fuse}");
        }
    }
}

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
