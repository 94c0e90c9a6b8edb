//! Ticks while it runs, and the finish when the inputs have ended.

use std::time::Duration;

use tormenta::{
    Topology,
    prelude::*,
    testkit::{Capture, Feed},
};

use crate::support::{Seen, Slow, cluster, failures, feed_of, ms, of, run_on, run_to_end};

/// Notes what happens to it; gathers and emits the sum at the end.
#[derive(Clone)]
pub(crate) struct Diary {
    name: &'static str,
    seen: Seen<(&'static str, &'static str, Duration)>,
    tick: fn(Duration) -> Duration,
    sum: u64,
    cx: Option<Context>,
}

impl Diary {
    pub(crate) fn new(
        name: &'static str,
        seen: &Seen<(&'static str, &'static str, Duration)>,
    ) -> Self {
        Self { name, seen: seen.clone(), tick: |_| Duration::ZERO, sum: 0, cx: None }
    }

    fn note(&self, what: &'static str) -> Duration {
        let now = self.cx.as_ref().expect("it was prepared").now();
        self.seen.add((self.name, what, now));
        now
    }
}

impl Bolt for Diary {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, _out: &Emitter<u64>) -> Result {
        self.note("execute");
        self.sum += n;
        Ok(())
    }

    async fn tick(&mut self, out: &Emitter<u64, Free>) -> Result {
        let time = (self.tick)(self.note("tick"));
        if !time.is_zero() {
            self.cx.as_ref().expect("it was prepared").sleep(time).await;
        }
        out.emit_free(0).await
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        self.note("finish");
        out.emit_free(self.sum).await
    }
}

#[test]
fn every_task_finishes_once_in_topological_order_after_its_last_tuple() {
    for (fuse, seed) in [(true, 1), (false, 2), (true, 3), (false, 4)] {
        let (seen, capture) = (Seen::default(), Capture::new());
        let mut t = Topology::new("finish");
        let numbers = t.spout("numbers", feed_of(1..=100u64).spout());
        let first =
            t.bolt("first", Diary::new("first", &seen), numbers.shuffle()).tasks(2).tick(ms(1));
        let second = t.bolt("second", Diary::new("second", &seen), first.shuffle()).tasks(3);
        let third = t.bolt("third", Diary::new("third", &seen), second.shuffle()).tasks(3);
        let _ = t.bolt("sink", capture.bolt(), [third.global(), first.by(|n| n)]);
        run_to_end(cluster(t, seed, fuse));
        assert_eq!(capture.taken().iter().sum::<u64>(), 2 * 5050);
        let events: Vec<_> =
            seen.all().into_iter().filter(|(_, what, _)| *what != "tick").collect();
        let finishes = |name| events.iter().filter(|e| (e.0, e.1) == (name, "finish")).count();
        assert_eq!([finishes("first"), finishes("second"), finishes("third")], [2, 3, 3]);
        let last = |name, what| events.iter().rposition(|e| (e.0, e.1) == (name, what));
        let first_finish = |name| events.iter().position(|e| (e.0, e.1) == (name, "finish"));
        for name in ["first", "second", "third"] {
            assert!(last(name, "execute") < first_finish(name), "{name} fuse {fuse}");
        }
        assert!(last("first", "finish") < first_finish("second"));
        assert!(last("second", "finish") < first_finish("third"));
    }
}

#[test]
fn ticks_come_on_time_and_never_pile_up() {
    for fuse in [true, false] {
        let (feed, seen) = (Feed::<u64>::new(), Seen::default());
        let mut t = Topology::new("ticks");
        let numbers = t.spout("numbers", feed.spout());
        let mut diary = Diary::new("diary", &seen);
        // One tick in the middle takes as long as ten.
        diary.tick = |now| if now == ms(50) { ms(100) } else { ms(0) };
        let _ = t.bolt("diary", diary, numbers.shuffle()).tick(ms(10));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(500));
        let times: Vec<Duration> = seen.all().into_iter().map(|(_, _, at)| at).collect();
        assert_eq!(times[..5], [10, 20, 30, 40, 50].map(ms));
        assert!(times[5] >= ms(150) && times[6] >= times[5] + ms(5), "{times:?}");
        assert!((38..=41).contains(&times.len()), "{} ticks", times.len());
        let ticks = cluster.metrics().components[1].ticks;
        assert_eq!(ticks as usize, times.len());
        feed.push(1);
        feed.end();
        let summary = run_on(&mut cluster);
        assert!(summary.into_result().is_ok(), "ticks do not keep it alive");
    }
}

/// What has finished does not tick any more: nothing comes after the finish.
#[test]
fn nothing_comes_after_the_finish() {
    for fuse in [true, false] {
        let seen = Seen::default();
        let mut t = Topology::new("after");
        let numbers = t.spout("numbers", feed_of(0..10u64).spout());
        let first = t.bolt("first", Diary::new("first", &seen), numbers.shuffle()).tick(ms(1));
        let slow = t.bolt("slow", FinishSlowly(None), first.shuffle());
        let _ = t.bolt("last", Diary::new("last", &seen), slow.shuffle()).tick(ms(1));
        run_to_end(cluster(t, 1, fuse));
        let after_first = seen.all().into_iter().skip_while(|e| (e.0, e.1) != ("first", "finish"));
        let late: Vec<_> = after_first.skip(1).filter(|e| e.0 == "first").collect();
        assert!(late.is_empty(), "{} events after the finish: {:?}", late.len(), late.first());
    }
}

/// Needs a second to finish.
#[derive(Clone)]
struct FinishSlowly(Option<Context>);

impl Bolt for FinishSlowly {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        out.emit(n).await
    }

    async fn finish(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.0.as_ref().expect("it was prepared").sleep(ms(1000)).await;
        Ok(())
    }
}

/// Holds everything until it finishes.
#[derive(Default)]
struct Hoard(Vec<(u64, Ticket<u64>)>);

impl Clone for Hoard {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Bolt for Hoard {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.0.push((n, out.hold()));
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        for (n, ticket) in self.0.drain(..) {
            match n % 3 {
                0 => ticket.finish([n]),
                1 => {
                    out.emit_for([&ticket], n).await?;
                    ticket.ack();
                }
                _ => drop(ticket),
            }
        }
        Ok(())
    }
}

#[test]
fn what_is_held_until_the_finish_is_settled_there() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..99u64), Capture::new());
        let mut t = Topology::new("hoard");
        let numbers = t.spout("numbers", feed.spout());
        let hoard = t.bolt("hoard", Hoard::default(), numbers.shuffle()).tasks(2);
        let hoard = t.bolt("again", Hoard::default(), hoard.shuffle());
        let _ = t.bolt("sink", capture.bolt(), hoard.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!((feed.acked().len(), feed.failed().len()), (66, 33));
        assert!(failures(&feed).iter().all(|(n, why)| n % 3 == 2 && why.contains("dropped")));
        assert_eq!((capture.taken().len(), of(&summary, "hoard").held), (66, 0));
    }
}

/// Finishes for ever, or emits more than its reader can take in an hour.
#[derive(Clone)]
struct Last {
    for_ever: bool,
}

impl Bolt for Last {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _n: u64, _out: &Emitter<u64>) -> Result {
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        if self.for_ever {
            std::future::pending::<()>().await;
        }
        for n in 0..1_000 {
            out.emit_free(n).await?;
        }
        Ok(())
    }
}

/// Nobody asked for the end: the inputs ended by themselves.
#[test]
fn a_finish_that_never_returns_is_cut_at_the_limit() {
    for fuse in [true, false] {
        let feed = feed_of(0..10u64);
        let mut t = Topology::new("endless");
        let numbers = t.spout("numbers", feed.spout());
        let last = t.bolt("last", Last { for_ever: true }, numbers.shuffle());
        let _ = t.bolt("sink", Capture::<u64>::new().bolt(), last.shuffle()).tick(ms(500));
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(feed.acked().len(), 10);
        assert!((3600.0..3601.0).contains(&summary.seconds), "{} s", summary.seconds);
        assert_eq!(summary.cut_off, ["`last[0]` in a tick or finish for 3600.0 s"]);
        assert!(summary.into_result().is_err());
    }
}

/// The limit is for the finish itself: what it waits for is not its fault.
#[test]
fn a_finish_may_wait_for_its_reader() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..10u64), Capture::new());
        let mut t = Topology::new("patient");
        let numbers = t.spout("numbers", feed.spout());
        let last = t.bolt("last", Last { for_ever: false }, numbers.shuffle());
        // 20,000 s of work, and the limit is 3,600.
        let slow = t.bolt("slow", Slow::new(|_, _| ms(20_000)), last.shuffle());
        let _ = t.bolt("sink", capture.bolt(), slow.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!((capture.taken().len(), &summary.cut_off[..]), (1_000, &[][..]), "{fuse}");
        assert!(summary.seconds >= 20_000.0);
    }
}
