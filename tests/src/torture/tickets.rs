//! What tortured bolts do with tickets: settle them late, together, elsewhere, or not at all.

use std::time::Duration;

use tormenta_dsl::{Emitter, Result, Ticket};

use super::{
    children::Child,
    item::{Input, Output},
    spec::{Fault, Work},
    worker::Worker,
    world::{RootState, Visit},
};
use crate::oracle;

/// A tuple that is held.
pub(crate) struct Held<O: Output> {
    ticket: Ticket<O>,
    pub(super) visits: Vec<Visit>,
    /// Kept without a touch until it has expired.
    forgotten: bool,
    since: Duration,
}

/// How a group of tickets is settled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Each,
    Together,
    Finish,
    Drop,
    Refuse,
}

/// Tickets that are settled together at most, and the roots that may have.
const TOGETHER: usize = 4;
const ROOTS_TOGETHER: usize = 12;

impl<I: Input, O: Output> Worker<I, O> {
    /// Keeps the ticket of the tuple that is being executed.
    pub(super) fn keep(&mut self, ticket: Ticket<O>) {
        let since = self.now();
        let log = &mut *self.world.log();
        let may_expire = self.world.spec.worker(self.me.component).hold_timeout.is_some();
        let forgotten = may_expire && log.strikes(&self.world.spec, Fault::ForgottenTicket);
        let visits = std::mem::take(&mut self.visits);
        if forgotten {
            log.touch(Fault::ForgottenTicket, visits.iter().map(|(root, _)| *root));
        }
        self.held.push(Held { ticket, visits, forgotten, since });
    }

    /// Settles the oldest tickets, so that no more are kept than the bolt wants to keep.
    pub(super) async fn settle_beyond<A>(&mut self, out: &Emitter<O, A>) -> Result {
        let Work::Hold { keep } = self.world.spec.worker(self.me.component).work else {
            return Ok(());
        };
        while self.held.iter().filter(|held| !held.forgotten).count() > keep {
            self.settle_next(out).await?;
        }
        Ok(())
    }

    /// In a tick: settles some or all, and shows that it is alive for the others.
    pub(super) async fn settle_some<A>(&mut self, out: &Emitter<O, A>) -> Result {
        let mut left = self.world.log().rng.below(2) * self.held.len() / 2;
        if self.held.len() < 3 {
            left = 0;
        }
        while self.held.iter().filter(|held| !held.forgotten).count() > left {
            self.settle_next(out).await?;
        }
        let now = self.now();
        let limit = self.world.spec.worker(self.me.component).hold_timeout;
        for held in &self.held {
            if !held.forgotten {
                held.ticket.touch();
            }
        }
        // What was forgotten has expired by now: what becomes of the ticket must not matter.
        let over = |held: &Held<O>| {
            held.forgotten && limit.is_some_and(|limit| now > held.since + 2 * limit)
        };
        while let Some(index) = self.held.iter().position(over) {
            let late = self.held.swap_remove(index);
            self.settle_late(late);
        }
        Ok(())
    }

    /// Settles a ticket that should have expired. The engine may have been too busy to notice; a
    /// ticket of a tree that has ended can be acked, and nothing comes of it.
    fn settle_late(&self, late: Held<O>) {
        let log = &mut *self.world.log();
        let is_open = |(root, _): &Visit| log.roots[*root as usize].state == RootState::Open;
        if late.visits.iter().any(is_open) {
            log.touch(Fault::RefusedTicket, late.visits.iter().map(|(root, _)| *root));
            return late.ticket.fail("late");
        }
        late.ticket.ack();
    }

    /// In `finish`: settles everything.
    pub(super) async fn settle_all<A>(&mut self, out: &Emitter<O, A>) -> Result {
        while self.held.iter().any(|held| !held.forgotten) {
            self.settle_next(out).await?;
        }
        while let Some(late) = self.held.pop() {
            self.settle_late(late);
        }
        Ok(())
    }

    /// Holds, emits and settles inside one execute.
    pub(super) async fn hold_within(&mut self, out: &Emitter<O>) -> Result {
        let ticket = out.hold();
        let way = self.draw_way();
        let visits = self.visits.clone();
        let held = Held { ticket, visits, forgotten: false, since: self.now() };
        let children = std::mem::take(&mut self.children);
        self.settle(out, vec![held], way, children).await
    }

    async fn settle_next<A>(&mut self, out: &Emitter<O, A>) -> Result {
        let way = self.draw_way();
        let wanted = if way == Way::Together { TOGETHER } else { 1 };
        let mut group: Vec<Held<O>> = Vec::new();
        while group.len() < wanted {
            let roots: usize = group.iter().map(|held| held.visits.len()).sum();
            let fits = |held: &Held<O>| {
                !held.forgotten && (group.is_empty() || roots + held.visits.len() <= ROOTS_TOGETHER)
            };
            let Some(index) = self.held.iter().position(fits) else { break };
            group.push(self.held.remove(index));
        }
        let visits: Vec<Visit> = group.iter().flat_map(|held| held.visits.clone()).collect();
        let mut children = Vec::new();
        if matches!(way, Way::Each | Way::Together | Way::Finish) {
            let crew = self.world.spec.worker(self.me.component).concurrency.limit() > 1;
            let in_order = way != Way::Finish && !crew;
            let log = &mut *self.world.log();
            self.world.children(log, self.me, &visits, in_order, &mut children);
        }
        self.settle(out, group, way, children).await
    }

    fn draw_way(&self) -> Way {
        let log = &mut *self.world.log();
        let spec = &self.world.spec;
        if log.strikes(spec, Fault::DroppedTicket) {
            return Way::Drop;
        }
        if log.strikes(spec, Fault::RefusedTicket) {
            return Way::Refuse;
        }
        // The outputs of a ticket that expired are thrown away: then nobody could count them.
        let expires = spec.worker(self.me.component).hold_timeout.is_some();
        match log.rng.below(3) {
            0 => Way::Each,
            1 if !expires => Way::Finish,
            _ => Way::Together,
        }
    }

    async fn settle<A>(
        &mut self,
        out: &Emitter<O, A>,
        group: Vec<Held<O>>,
        way: Way,
        mut children: Vec<Child>,
    ) -> Result {
        if matches!(way, Way::Drop | Way::Refuse) {
            return self.fail(group, way);
        }
        if way == Way::Finish {
            children.iter_mut().for_each(|child| child.item.seq = 0);
        } else {
            for child in children.drain(..) {
                self.world.count_emit(self.me, child.copies);
                let tickets = group.iter().map(|held| &held.ticket);
                out.emit_for(tickets, O::wrap(child.port, child.item)).await?;
            }
        }
        for held in group {
            oracle::at_least_once::on_done(&self.world, self.me, &held.visits, true);
            if way != Way::Finish {
                held.ticket.ack();
                continue;
            }
            let mut outputs = Vec::new();
            for child in children.drain(..) {
                self.world.count_emit(self.me, child.copies);
                outputs.push(O::wrap(child.port, child.item));
            }
            held.ticket.finish(outputs);
        }
        Ok(())
    }

    fn fail(&self, group: Vec<Held<O>>, way: Way) -> Result {
        let fault = if way == Way::Drop { Fault::DroppedTicket } else { Fault::RefusedTicket };
        for held in group {
            let log = &mut *self.world.log();
            log.touch(fault, held.visits.iter().map(|(root, _)| *root));
            if way == Way::Refuse {
                held.ticket.fail("refused");
            }
        }
        Ok(())
    }
}
