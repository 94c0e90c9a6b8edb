//! One core: a thread that polls its loops.
//!
//! The loops are polled inside a current-thread tokio runtime, so that user code may use timers
//! and sockets; but which loop runs when is decided here. A core that has nothing to do looks for
//! work for a while before it parks, because waking a parked core takes as long as that.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    guard::{Guarded, take_bug},
    panics::{self, At},
    shared::{EngineShared, LoopShared},
    signal::{CoreSignal, LoopWaker, WakeCell},
};
use crate::{
    clock::{Clock, Nanos, Timers},
    limits,
    report::Cause,
    rng::Rng,
};

/// How to make a loop, once on the thread where it will stay.
pub(crate) type LoopSeed = Box<dyn FnOnce(&Rc<LoopShared>) -> Guarded + Send>;

/// A loop that is not running yet.
pub(crate) struct Planted {
    pub(crate) seed: LoopSeed,
    pub(crate) wake: Arc<WakeCell>,
    pub(crate) rng: Rng,
}

/// The loops of one core.
pub(crate) struct Core {
    loops: Vec<Loop>,
    signal: Arc<CoreSignal>,
    pub(crate) timers: Arc<Timers>,
    clock: Clock,
    engine: Arc<EngineShared>,
}

struct Loop {
    future: Option<Pin<Box<Guarded>>>,
    ready: Arc<LoopWaker>,
    waker: Waker,
}

impl Core {
    pub(crate) fn new(engine: &Arc<EngineShared>, loops: Vec<Planted>) -> Self {
        let signal = Arc::<CoreSignal>::default();
        let clock = engine.clock.clone();
        let timers = Timers::new(clock.clone(), signal.clone());
        let grow = |planted: Planted| {
            let ready = LoopWaker::new(signal.clone());
            let waker = Waker::from(ready.clone());
            planted.wake.set(waker.clone());
            let shared = LoopShared::new(engine.clone(), timers.clone(), planted.wake, planted.rng);
            let future = Some(Box::pin((planted.seed)(&shared)));
            Loop { future, ready, waker }
        };
        let loops = loops.into_iter().map(grow).collect();
        Self { loops, signal, timers, clock, engine: engine.clone() }
    }

    /// Runs until all loops have ended.
    pub(crate) async fn run(mut self, spin: Option<Nanos>) {
        let mut turn = Turn { spin, ..Turn::default() };
        poll_fn(|cx| self.poll_turns(cx, &mut turn)).await;
    }

    fn poll_turns(&mut self, cx: &mut Context<'_>, turn: &mut Turn) -> Poll<()> {
        let _entered = panics::enter(At::Engine);
        self.signal.unpark();
        turn.driven_at = self.clock.now();
        loop {
            self.signal.take_work();
            let now = self.clock.now();
            self.timers.fire(now);
            if self.poll_ready() {
                turn.work(now);
                if self.loops.is_empty() {
                    return Poll::Ready(());
                }
                if now - turn.driven_at > limits::DRIVER_INTERVAL.as_nanos() as Nanos {
                    cx.waker().wake_by_ref(); // let the runtime look at sockets and timers
                    return Poll::Pending;
                }
                continue;
            }
            if turn.may_spin(now) {
                std::hint::spin_loop();
                continue;
            }
            turn.busy_since = None;
            return self.park(cx, turn, now);
        }
    }

    /// Polls every loop that was woken. Whether there was one.
    fn poll_ready(&mut self) -> bool {
        let mut polled = false;
        let mut ended = false;
        for each in &mut self.loops {
            if each.ready.take_ready() {
                polled = true;
                ended |= each.poll(&self.engine);
            }
        }
        if ended {
            self.loops.retain(|each| each.future.is_some());
        }
        polled
    }

    fn park(&self, cx: &mut Context<'_>, turn: &mut Turn, now: Nanos) -> Poll<()> {
        if self.signal.park(cx.waker()) {
            turn.sleep = self.timers.next_due().map(|due| sleep(due.saturating_sub(now)));
            if turn.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready()) {
                cx.waker().wake_by_ref();
            }
        } else {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Polls one ready loop, chosen at random. Whether there was one. For simulations.
    pub(crate) fn poll_one(&mut self, rng: &mut Rng) -> bool {
        let ready = || (0..self.loops.len()).filter(|i| self.loops[*i].ready.is_ready());
        let count = ready().count();
        let Some(chosen) = (count > 0).then(|| rng.below(count)).and_then(|n| ready().nth(n))
        else {
            return false;
        };
        self.loops[chosen].ready.take_ready();
        if self.loops[chosen].poll(&self.engine) {
            self.loops.remove(chosen);
        }
        true
    }
}

#[derive(Default)]
struct Turn {
    /// How long to look for work; as the core sees fit if nobody says.
    spin: Option<Nanos>,
    /// Since when there has always been work, but for spells too short to park.
    busy_since: Option<Nanos>,
    /// Since when there has been none.
    idle_since: Option<Nanos>,
    driven_at: Nanos,
    /// Wakes the core when its next timer is due.
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Turn {
    fn work(&mut self, now: Nanos) {
        self.busy_since.get_or_insert(now);
        self.idle_since = None;
    }

    /// Whether to go on looking for work. A core that was busy for long looks for longer: it is
    /// part of a flow, and the next batch is near. One that did a little parks soon.
    fn may_spin(&mut self, now: Nanos) -> bool {
        let idle_since = *self.idle_since.get_or_insert(now);
        let busy = idle_since.saturating_sub(self.busy_since.unwrap_or(idle_since));
        let (shortest, longest) = limits::SPIN;
        let spin = self.spin.unwrap_or_else(|| {
            (busy / 2).clamp(shortest.as_nanos() as Nanos, longest.as_nanos() as Nanos)
        });
        now - idle_since < spin
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell: here engine time meets the machine's")]
fn sleep(wait: Nanos) -> Pin<Box<tokio::time::Sleep>> {
    Box::pin(tokio::time::sleep(std::time::Duration::from_nanos(wait)))
}

impl Loop {
    /// Whether the loop has ended.
    fn poll(&mut self, engine: &EngineShared) -> bool {
        let Some(future) = &mut self.future else { return true };
        let mut done = future.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready();
        if let Some(bug) = take_bug() {
            // The whole loop: what one of its stages holds, the others wait for.
            engine.break_off(Cause::Bug, bug);
            done = true;
        }
        if done {
            self.future = None;
        }
        done
    }
}
