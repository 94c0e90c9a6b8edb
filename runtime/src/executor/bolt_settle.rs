//! How a stage takes back the tickets that its user settled.

use tormenta_dsl::{Bolt, Error, Failure, engine::Outcome, ticket::Hold};

use super::bolt_stage::BoltStage;
use crate::clock::Nanos;

impl<B: Bolt> BoltStage<B> {
    /// Takes in settled tickets: stages their outputs, and their edges as consumed.
    ///
    /// What an emitter staged for a ticket was staged before the ticket was settled, and a flush
    /// hands on what is staged before it lets acks go: children always come first.
    pub(super) fn take_settled(&self) {
        #[cfg(feature = "planted-bugs")]
        crate::faults::may_break(crate::faults::Breach::Bolt);
        if self.parts.settled.is_empty() {
            return;
        }
        self.has_settled.set(true);
        for (hold, outcome, in_time) in self.parts.settled.take() {
            self.unflushed.set(self.unflushed.get() + 1);
            if !in_time {
                self.report_late(&outcome);
                continue;
            }
            self.parts.output.lower(hold.epoch.as_ref());
            self.take_one(&hold, outcome);
        }
    }

    /// Takes in what became of results, and emits those again that failed.
    pub(super) fn take_results(&self) {
        let Some(results) = &self.parts.results else { return };
        // Once a reader may have finished, none of them must get another tuple.
        let may_replay = !self.parts.shared.engine.control.shall_finish(self.parts.position + 1);
        let output = &self.parts.output;
        let done = results.take_in(may_replay, |epoch, (root, tuple)| {
            output.lower(Some(epoch));
            match tuple {
                Ok(tuple) => output.stage(root, 0, tuple),
                Err(why) => self.parts.shared.fail([root], &why, None),
            }
        });
        self.unflushed.set(self.unflushed.get() + done);
    }

    /// When to look after results, though no ack comes.
    pub(super) fn results_due(&self) -> Nanos {
        self.parts.results.as_ref().map_or(Nanos::MAX, |results| results.next_due())
    }

    /// The topology stops: results that are not complete are nobody's duty any more.
    pub(super) fn abandon_results(&self) {
        if let Some(results) = &self.parts.results {
            self.unflushed.set(self.unflushed.get() + results.abandon());
        }
    }

    /// A ticket that had expired was finished: its tuple has failed, and what it put out is not
    /// anchored to anything any more.
    fn report_late(&self, outcome: &Outcome<B::Output>) {
        if let Outcome::Ack(outputs) = outcome {
            let why = Error::msg(format!(
                "a ticket was finished after it had expired, so its {} outputs were dropped: \
                 `touch` it meanwhile, or set a longer `hold_timeout`",
                outputs.len()
            ));
            self.parts.shared.engine.report(&self.parts.stats.place, None, &why);
        }
    }

    fn take_one(&self, hold: &Hold, outcome: Outcome<B::Output>) {
        let place = || self.parts.stats.place.clone();
        let why = match outcome {
            Outcome::Ack(outputs) => {
                for output in outputs {
                    let roots = hold.edges.iter().map(|(root, _)| *root).collect();
                    self.parts.output.stage_for(roots, output);
                }
                return self.done.borrow_mut().add_hold(hold);
            }
            Outcome::Fail(reason) => Failure::Refused(place(), reason),
            Outcome::Drop => Failure::Dropped(place()),
        };
        self.count_failed(hold.count_failures());
        self.parts.shared.fail(hold.roots(), &why, None);
    }

    /// Tuples that were executed have failed after all.
    pub(super) fn count_failed(&self, tuples: usize) {
        let stats = &self.parts.stats;
        stats.failed.add(tuples as u64);
        // The batch at hand is added when it is done.
        stats.acked.set(stats.executed.get().saturating_sub(stats.failed.get()));
    }
}
