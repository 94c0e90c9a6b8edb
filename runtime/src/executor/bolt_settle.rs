//! How a stage takes back the tickets that its user settled.

use tormenta_dsl::{Bolt, Failure, engine::Outcome, ticket::Hold};

use super::bolt_stage::BoltStage;

impl<B: Bolt> BoltStage<B> {
    /// Takes in settled tickets: stages their outputs, and their edges as consumed.
    ///
    /// What an emitter staged for a ticket was staged before the ticket was settled, and a flush
    /// hands on what is staged before it lets acks go: children always come first.
    pub(super) fn take_settled(&self) {
        if self.parts.settled.is_empty() {
            return;
        }
        for (hold, outcome) in self.parts.settled.take() {
            self.unflushed.set(self.unflushed.get() + 1);
            self.parts.output.lower(hold.epoch.as_ref());
            self.take_one(&hold, outcome);
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
                return self.done.borrow_mut().add_all(&*hold.edges);
            }
            Outcome::Fail(reason) => Failure::Refused(place(), reason),
            Outcome::Drop => Failure::Dropped(place()),
        };
        let roots = hold.edges.iter().map(|(root, _)| *root);
        self.parts.shared.fail(roots, &why, None);
    }
}
