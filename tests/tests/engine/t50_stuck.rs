//! User code that keeps its thread: nobody can take it away, but it is named.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tormenta::{Options, Phase, Running, Topology, prelude::*, testkit::Feed};

use crate::support::{Slow, feed_of, ms, pause, until, wait};

/// Blocks its thread, once, in one of its phases, until somebody lets it go.
#[derive(Clone)]
struct Blocks {
    phase: Phase,
    once: Arc<AtomicBool>,
    go: Arc<AtomicBool>,
}

impl Blocks {
    fn new(phase: Phase) -> Self {
        Self { phase, once: Arc::default(), go: Arc::default() }
    }

    fn at(&self, phase: Phase) {
        if phase == self.phase && !self.once.swap(true, Ordering::SeqCst) {
            until("let go", || self.go.load(Ordering::SeqCst));
        }
    }
}

impl Bolt for Blocks {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, _cx: &Context) -> Result {
        self.at(Phase::Prepare);
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.at(Phase::Execute);
        out.emit(n).await
    }

    async fn tick(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.at(Phase::Tick);
        Ok(())
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.at(Phase::Finish);
        Ok(())
    }
}

fn start(t: Topology, unfused: bool) -> Running {
    let mut options = Options::default();
    options.unfused = unfused;
    options.cores = Some(2);
    options.drain_timeout = Some(ms(300));
    tormenta::start(t, options).expect("a sound topology")
}

#[test]
fn a_task_that_blocks_is_named_once() {
    for (number, phase) in [Phase::Prepare, Phase::Execute, Phase::Tick].into_iter().enumerate() {
        let (feed, blocks) = (Feed::<u64>::new(), Blocks::new(phase));
        let go = blocks.go.clone();
        let mut t = Topology::new("blocks");
        let numbers = t.spout("numbers", feed.spout());
        // A reader in the same loop, and one around it, that are not to blame.
        let before = t.bolt("before", Slow::new(|_, _| ms(0)), numbers.shuffle());
        let blocks = t.bolt("blocks", blocks, before.shuffle()).tick(ms(5));
        let blocks = blocks.execute_timeout(ms(150));
        let _ = t.bolt("after", Slow::new(|_, _| ms(0)), blocks.shuffle());
        feed.push(1);
        let running = start(t, number == 1);
        until("it is told", || !running.errors().is_empty());
        pause(ms(60));
        let holders = running.holders();
        pause(ms(200));
        go.store(true, Ordering::SeqCst);
        let blocked = format!("`blocks[0]` blocks in `{phase}` for ");
        assert!(holders.iter().any(|holder| holder.starts_with(&blocked)), "{holders:?}");
        feed.end();
        let summary = wait(running);
        let [error] = &summary.errors[..] else { panic!("{:?}", summary.errors) };
        assert_eq!((&error.component[..], error.task, error.phase), ("blocks", 0, Some(phase)));
        let text = format!("stuck: `{phase}` has not returned for ");
        assert!(error.error.starts_with(&text), "{}", error.error);
        assert_eq!((summary.error, feed.acked().len()), (None, 1), "{phase}");
    }
}

#[test]
fn a_task_with_a_thread_of_its_own_is_named_as_well() {
    let blocks = Blocks::new(Phase::Execute);
    let go = blocks.go.clone();
    let mut t = Topology::new("blocks");
    let numbers = t.spout("numbers", feed_of(0..10u64).spout());
    let _ = t.bolt("blocks", blocks, numbers.shuffle()).blocking().execute_timeout(ms(150));
    let running = start(t, false);
    until("it is told", || !running.errors().is_empty());
    go.store(true, Ordering::SeqCst);
    let summary = wait(running);
    assert_eq!((summary.errors.len(), summary.errors[0].phase), (1, Some(Phase::Execute)));
    assert!(!summary.errors[0].error.contains("core"), "{}", summary.errors[0].error);
}

/// A batch may take longer than one execute may.
#[test]
fn executes_that_are_slow_are_not_taken_for_one_that_is_stuck() {
    for unfused in [true, false] {
        let feed = feed_of(0..60u64);
        let mut t = Topology::new("slow");
        let numbers = t.spout("numbers", feed.spout());
        let slow = tormenta::bolts::func(async |_: u64, _: &Emitter<()>| {
            pause(ms(10));
            Ok(())
        });
        let _ = t.bolt("slow", slow, numbers.shuffle()).execute_timeout(ms(400));
        let summary = wait(start(t, unfused));
        assert!(summary.errors.is_empty(), "{:?}", summary.errors);
        assert_eq!(feed.acked().len(), 60);
        let c = &summary.metrics.components[1];
        assert!(c.execute_seconds >= 0.6, "{c:?}");
    }
}

/// A finish that blocks although nobody asked for the end, and an execute although somebody did.
#[test]
fn who_blocks_is_named_when_the_end_is_cut_off() {
    for phase in [Phase::Finish, Phase::Execute] {
        let (feed, blocks) = (Feed::<u64>::new(), Blocks::new(phase));
        let (go, once) = (blocks.go.clone(), blocks.once.clone());
        let mut t = Topology::new("blocks");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("blocks", blocks, numbers.shuffle()).fuse(false);
        feed.push(1);
        let running = start(t, false);
        if phase == Phase::Finish {
            feed.end();
        } else {
            until("it executes", || once.load(Ordering::SeqCst));
            running.drain();
        }
        until("it blocks", || once.load(Ordering::SeqCst));
        let late = std::thread::spawn(move || {
            pause(Duration::from_secs(1));
            go.store(true, Ordering::SeqCst);
        });
        let summary = wait(running);
        assert!(late.join().is_ok());
        let [who] = &summary.cut_off[..] else { panic!("{:?}", summary.cut_off) };
        assert!(who.starts_with(&format!("`blocks[0]` blocks in `{phase}` for ")), "{who}");
        assert!(summary.into_result().is_err());
    }
}
