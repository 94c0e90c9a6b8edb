//! The spout of tortured topologies. It forgets everything when it panics; the world does not.

use std::{marker::PhantomData, panic::resume_unwind, sync::Arc};

use tormenta_dsl::{Context, Failure, Result, Spout};

use super::{
    item::{Item, Output, Part, Parts},
    shape,
    spec::Fault,
    world::{Me, RootState, World},
};
use crate::oracle;

pub(crate) struct Source<O> {
    world: Arc<World>,
    component: usize,
    me: Me,
    cx: Option<Context>,
    output: PhantomData<fn() -> O>,
}

impl<O> Source<O> {
    pub(crate) fn new(world: Arc<World>, component: usize) -> Self {
        Self { world, component, me: Me::default(), cx: None, output: PhantomData }
    }
}

impl<O> Clone for Source<O> {
    fn clone(&self) -> Self {
        Self::new(self.world.clone(), self.component)
    }
}

enum Next {
    Root(u32, Item),
    Wait(std::time::Duration),
    End,
    Panic,
}

impl<O> Source<O> {
    fn now(&self) -> std::time::Duration {
        self.cx.as_ref().map(Context::now).unwrap_or_default()
    }

    fn draw_next(&self) -> Next {
        let (world, me, now) = (&*self.world, self.me, self.now());
        let spec = world.spec.source(me.component);
        let log = &mut *world.log();
        oracle::memory::on_next(log, world, me);
        let tasks = world.spec.components[me.component].tasks as u32;
        let task = &log.tasks[me.index];
        if now < task.resume_at {
            return Next::Wait(task.resume_at - now);
        }
        if task.next == spec.roots / tasks {
            return Next::End;
        }
        if log.strikes(&world.spec, Fault::SpoutPanic) {
            log.touch(Fault::SpoutPanic, []);
            return Next::Panic;
        }
        let root = spec.first + log.tasks[me.index].next * tasks + me.task as u32;
        let pauses = spec.pauses > 0 && log.rng.one_in(spec.pauses);
        let pause = std::time::Duration::from_millis(1 + log.rng.below(20) as u64);
        let task = &mut log.tasks[me.index];
        task.next += 1;
        task.seq += 1;
        task.outstanding += usize::from(spec.tracked);
        if pauses {
            task.resume_at = now + pause;
        }
        let seq = task.seq;
        log.event(1, me.index, u64::from(root), now);
        log.progress = now;
        log.roots[root as usize].state = RootState::Open;
        log.roots[root as usize].born = now;
        world.born.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let part = Part { root, emission: 0 };
        let port = shape::root_port(&world.spec, me.component, shape::class_of(root));
        let (key, parts) = (u64::from(root % 13), Parts::One(part));
        let copies = world.copies(log, (me.component, port), &parts);
        world.count_emit(me, copies);
        Next::Root(root, Item { from: me.index as u16, seq, key, parts })
    }

    /// A spout may panic wherever it is called; what it was told counts.
    fn maybe_panic(&self) {
        let log = &mut *self.world.log();
        if log.strikes(&self.world.spec, Fault::SpoutPanic) {
            log.touch(Fault::SpoutPanic, []);
            resume_unwind(Box::new("the spout panics when it is told".to_owned()));
        }
    }
}

impl<O: Output> Spout for Source<O> {
    type Output = O;
    type Id = u32;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.me = self.world.me(self.component, cx.task());
        self.cx = Some(cx.clone());
        self.world.log().tasks[self.me.index].prepared += 1;
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(O, u32)>> {
        loop {
            match self.draw_next() {
                Next::Root(root, item) => {
                    let class = shape::class_of(root);
                    let port = shape::root_port(&self.world.spec, self.component, class);
                    return Ok(Some((O::wrap(port, item), root)));
                }
                Next::End => return Ok(None),
                Next::Panic => resume_unwind(Box::new("the spout panics in next".to_owned())),
                Next::Wait(wait) => {
                    if let Some(cx) = &self.cx {
                        cx.sleep(wait).await;
                    }
                }
            }
        }
    }

    fn acked(&mut self, id: u32) {
        oracle::ends::on_acked(&self.world, self.me, id, self.now());
        self.maybe_panic();
    }

    fn failed(&mut self, id: u32, why: Failure) {
        oracle::ends::on_failed(&self.world, self.me, id, &why, self.now());
        self.maybe_panic();
    }

    fn activated(&mut self) {
        self.world.log().tasks[self.me.index].inactive = false;
    }

    fn deactivated(&mut self) {
        self.world.log().tasks[self.me.index].inactive = true;
    }
}
