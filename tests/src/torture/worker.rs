//! The bolt of tortured topologies: emits what the shape of each root asks for, and misbehaves as
//! its world decides.

use std::{marker::PhantomData, panic::resume_unwind, sync::Arc, time::Duration};

use tormenta_dsl::{Bolt, Context, Emitter, Error, Free, Result};

use super::{
    children::Child,
    item::{Input, Output},
    spec::{Fault, Work},
    tickets::Held,
    world::{Log, Me, Visit, World},
};
use crate::oracle;

pub(crate) struct Worker<I, O: Output> {
    pub(super) world: Arc<World>,
    component: usize,
    pub(super) me: Me,
    cx: Option<Context>,
    pub(super) held: Vec<Held<O>>,
    pub(super) finished: bool,
    pub(super) visits: Vec<Visit>,
    pub(super) children: Vec<Child>,
    input: PhantomData<fn() -> I>,
}

impl<I, O: Output> Worker<I, O> {
    pub(crate) fn new(world: Arc<World>, component: usize) -> Self {
        Self {
            world,
            component,
            me: Me::default(),
            cx: None,
            held: Vec::new(),
            finished: false,
            visits: Vec::new(),
            children: Vec::new(),
            input: PhantomData,
        }
    }
}

impl<I, O: Output> Clone for Worker<I, O> {
    fn clone(&self) -> Self {
        Self::new(self.world.clone(), self.component)
    }
}

/// What is to happen in one execute.
struct Step {
    /// A fault, and whether it comes after the outputs.
    fault: Option<(Fault, bool)>,
    nap: Option<Duration>,
    /// Whether the tuple is held beyond this execute.
    holds: bool,
}

impl<I: Input, O: Output> Worker<I, O> {
    pub(super) fn now(&self) -> Duration {
        self.cx.as_ref().map(Context::now).unwrap_or_default()
    }

    async fn sleep(&self, nap: Duration) {
        if let Some(cx) = &self.cx {
            cx.sleep(nap).await;
        }
    }

    /// Shows the tuple to the oracles and draws what happens with it.
    fn receive(&mut self, input: I) -> Step {
        let (slot, item) = input.open();
        let (world, me, now) = (self.world.clone(), self.me, self.now());
        let log = &mut *world.log();
        self.visits.clear();
        self.children.clear();
        oracle::on_execute(log, &world, me, slot, &item, now, &mut self.visits);
        let step = self.draw_step(log);
        if !step.holds && step.fault.is_none_or(|(_, late)| late) {
            world.children(log, me, &self.visits, true, &mut self.children);
        }
        step
    }

    fn draw_step(&self, log: &mut Log) -> Step {
        let spec = &self.world.spec;
        let worker = spec.worker(self.component);
        let is_strange = |fault: &Fault| *fault != Fault::Stall || worker.execute_timeout.is_some();
        let kinds = [Fault::Error, Fault::Poison, Fault::Panic, Fault::Stall];
        let kind = kinds.into_iter().filter(is_strange).find(|f| log.strikes(spec, *f));
        let fault = kind.map(|fault| {
            log.touch(fault, self.visits.iter().map(|(root, _)| *root));
            (fault, log.rng.one_in(2))
        });
        let naps = worker.naps.filter(|(one_in, _)| log.rng.one_in(*one_in));
        let nap = naps.map(|(_, longest)| {
            let half = longest.as_micros() as usize / 2;
            Duration::from_micros((half + log.rng.below(half)) as u64)
        });
        let holds = matches!(worker.work, Work::Hold { .. }) && !self.finished;
        Step { fault, nap, holds }
    }

    async fn misbehave(&self, fault: Fault) -> Result {
        match fault {
            Fault::Panic => resume_unwind(Box::new("the bolt panics".to_owned())),
            Fault::Stall => {
                let limit = self.world.spec.worker(self.component).execute_timeout;
                self.sleep(limit.unwrap_or_default() * 3).await;
                Err(Error::msg("nobody noticed the stall"))
            }
            Fault::Poison => Err(Error::poison("poison")),
            _ => Err(Error::msg("error")),
        }
    }

    async fn emit_children(&mut self, out: &Emitter<O>) -> Result {
        let names = self.world.spec.worker(self.component).work == Work::Plain;
        for child in self.children.drain(..) {
            self.world.count_emit(self.me, child.copies);
            let value = O::wrap(child.port, child.item);
            if names {
                out.emit_direct(child.direct, value).await?;
            } else {
                out.emit(value).await?;
            }
        }
        Ok(())
    }
}

impl<I: Input, O: Output> Bolt for Worker<I, O> {
    type Input = I;
    type Output = O;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.me = self.world.me(self.component, cx.task());
        self.cx = Some(cx.clone());
        let log = &mut *self.world.log();
        log.tasks[self.me.index].prepared += 1;
        Ok(())
    }

    async fn execute(&mut self, input: I, out: &Emitter<O>) -> Result {
        let step = self.receive(input);
        if let Some((fault, false)) = step.fault {
            return self.misbehave(fault).await;
        }
        if let Some(nap) = step.nap {
            self.sleep(nap).await;
        }
        let work = self.world.spec.worker(self.component).work;
        if step.holds {
            self.keep(out.hold());
            self.settle_beyond(out).await?;
        } else if work == Work::HoldWithin {
            self.hold_within(out).await?;
        } else {
            self.emit_children(out).await?;
            let succeeds = step.fault.is_none();
            oracle::at_least_once::on_done(&self.world, self.me, &self.visits, succeeds);
        }
        if let Some((fault, true)) = step.fault {
            return self.misbehave(fault).await;
        }
        self.world.log().tasks[self.me.index].succeeded += 1;
        Ok(())
    }

    async fn tick(&mut self, out: &Emitter<O, Free>) -> Result {
        oracle::ticks::on_tick(&self.world, self.me, self.now());
        self.settle_some(out).await
    }

    async fn finish(&mut self, out: &Emitter<O, Free>) -> Result {
        self.world.log().tasks[self.me.index].finished += 1;
        self.finished = true;
        self.settle_all(out).await
    }
}

/// A bolt that is thrown away drops its tickets.
impl<I, O: Output> Drop for Worker<I, O> {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            let log = &mut *self.world.log();
            for held in &self.held {
                log.touch(Fault::DroppedTicket, held.visits.iter().map(|(root, _)| *root));
            }
        }
    }
}
