//! What the controller would see in the middle of a poll, where no simulation looks by itself.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, OnceLock},
    task::Poll,
};

use tormenta_dsl::{Bolt, Emitter, Free, Result, Retry};

use super::*;
use crate::{Topology, drain::Seen, faults, testkit::Capture, testkit::Feed};

/// Passes numbers on. Whenever its loop is polled, it looks at the topology as the controller does.
#[derive(Clone, Default)]
struct Observer {
    handle: Arc<OnceLock<Handle>>,
    looks: Arc<Mutex<Vec<(Duration, Seen, bool)>>>,
    feed: Option<Arc<Feed<u64>>>,
}

impl Bolt for Observer {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        out.emit(n).await
    }

    async fn idle(&mut self, _out: &Emitter<u64, Free>) -> Result {
        poll_fn(|_| {
            if let (Some(handle), Some(feed)) = (self.handle.get(), &self.feed) {
                let now = Duration::from_nanos(handle.shared.clock.now());
                let is_done = !feed.acked().is_empty();
                self.looks.lock().expect("whole").push((now, handle.look(), is_done));
            }
            Poll::Pending
        })
        .await
    }
}

/// Between the end of a lost tree and its replay there is nothing under way and nothing open. In
/// this interval the loop of the spout polls what is fused to it, and so the observer looks.
#[test]
fn a_replay_that_waits_is_never_overlooked() {
    for seed in 0..20 {
        let feed = Arc::new(Feed::<u64>::new());
        feed.push(7);
        feed.end();
        let observer = Observer { feed: Some(feed.clone()), ..Observer::default() };
        let (handle, looks) = (observer.handle.clone(), observer.looks.clone());
        let mut t = Topology::new("overlooked");
        let numbers = t.spout("numbers", feed.spout()).replaying(Retry::default());
        let observed = t.bolt("observer", observer, numbers.shuffle());
        let sink = Capture::new();
        let _ = t.bolt("sink", sink.bolt(), observed.by(|n| n)).tasks(2);
        let mut cluster = LocalCluster::new(t, Simulation::new(seed)).expect("a sound topology");
        assert!(handle.set(cluster.handle.clone()).is_ok());
        faults::lose_batches(seed, 1, 1);
        let summary = cluster.run();
        faults::lose_batches(0, 0, 0);
        assert_eq!((sink.taken(), feed.acked()), (vec![7], vec![0]));
        assert_eq!(summary.metrics.components[0].replayed, 1);
        let looks = looks.lock().expect("whole");
        assert!(looks.iter().any(|(_, seen, _)| seen.lost), "the loss was never seen");
        for (at, seen, is_done) in looks.iter() {
            let may_finish = seen.exhausted && seen.quiet && !seen.lost;
            assert!(*is_done || !may_finish, "seed {seed}, at {at:?}: {seen:?}");
        }
    }
}
