//! A tuple that is held expires while its bolt is at something else, too.

use std::time::Duration;

use tormenta::{Topology, prelude::*, testkit::Feed};

use crate::support::{cluster, failures, ms};

/// Holds the number 0; then takes its time for whatever else it does.
#[derive(Default)]
struct Busy {
    held: Vec<Ticket<u64>>,
    cx: Option<Context>,
    tick: Duration,
}

impl Clone for Busy {
    fn clone(&self) -> Self {
        Self { tick: self.tick, ..Self::default() }
    }
}

impl Busy {
    async fn sleep(&self, time: Duration) {
        self.cx.as_ref().expect("it was prepared").sleep(time).await;
    }
}

impl Bolt for Busy {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        if n == 0 {
            self.held.push(out.hold());
            return Ok(());
        }
        self.sleep(Duration::from_secs(100)).await;
        Ok(())
    }

    async fn tick(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.sleep(self.tick).await;
        Ok(())
    }
}

#[test]
fn a_held_tuple_expires_while_an_execute_is_slow() {
    for fuse in [true, false] {
        let feed = Feed::<u64>::new();
        let mut t = Topology::new("slow");
        let numbers = t.spout("numbers", feed.spout());
        let busy = t.bolt("busy", Busy::default(), numbers.shuffle()).hold_timeout(ms(2_000));
        let _ = busy.execute_timeout(Duration::from_secs(1_000));
        let mut cluster = cluster(t, 1, fuse);
        feed.push(0);
        cluster.advance(ms(1));
        feed.push(1);
        cluster.advance(ms(1_900));
        assert!(feed.failed().is_empty());
        cluster.advance(ms(1_000));
        // A spout whose reader is in its own loop hears of it when that has returned.
        assert_eq!(feed.failed().len(), usize::from(!fuse));
        cluster.advance(Duration::from_secs(100));
        assert_eq!(failures(&feed), [(0, "`busy[0]` held it for too long".to_owned())], "{fuse}");
        assert_eq!(feed.acked(), [1]);
    }
}

#[test]
fn a_held_tuple_expires_while_a_tick_is_slow() {
    let feed = Feed::<u64>::new();
    let mut t = Topology::new("slow");
    let numbers = t.spout("numbers", feed.spout());
    let busy = Busy { tick: Duration::from_secs(100), ..Busy::default() };
    let busy = t.bolt("busy", busy, numbers.shuffle());
    let _ = busy.hold_timeout(ms(2_000)).tick(ms(100));
    let mut cluster = cluster(t, 1, false);
    feed.push(0);
    cluster.advance(ms(5_000));
    assert_eq!(failures(&feed), [(0, "`busy[0]` held it for too long".to_owned())]);
}
