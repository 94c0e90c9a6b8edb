//! The end of a topology. Pure.
//!
//! ```text
//! Running --exhausted or asked--> Draining --quiet--> Finishing(0) --quiet--> Finishing(1) ..
//!     .. --all finished, quiet--> StoppingBolts --stopped--> StoppingSpouts --> Ended
//! ```
//!
//! *Quiet* means that no batch, ack or settled ticket is under way; held tuples may remain. So a
//! bolt is asked to finish only when everything before it has finished and nothing can reach it
//! any more. A tree that is open although all is quiet and nobody holds it has lost a tuple: the
//! machine waits until its spout has noticed, and has replayed or failed it. At the limit it
//! stops waiting, and says so.
//!
//! The limit counts from the moment that somebody asks for the end. When the inputs end by
//! themselves nobody is in a hurry: what was read is worked off, however long that takes. But a
//! tick or a finish is user code that nothing else puts an end to, so each has the limit for
//! itself; and so have tickets that are still held when everybody has finished.

use std::time::Duration;

/// What the controller saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// No spout will emit anything more, unless a tree fails.
    pub(crate) exhausted: bool,
    /// Nothing is under way.
    pub(crate) quiet: bool,
    /// Trees are open that nobody holds: what they wait for was lost, and will fail.
    pub(crate) lost: bool,
    /// A component has ended the topology with an error.
    pub(crate) failed: bool,
    /// Bolts before this position have finished.
    pub(crate) finished_below: usize,
    /// Number of components.
    pub(crate) components: usize,
    /// All bolts have stopped.
    pub(crate) bolts_stopped: bool,
    /// Tickets are not settled.
    pub(crate) held: bool,
    /// When the oldest tick or finish began that is running, and that waits for no reader.
    pub(crate) own_since: Option<Duration>,
}

/// What the controller shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Tell spouts to emit nothing more.
    Drain,
    /// Ask components before this position to finish.
    FinishBelow(usize),
    /// Tell bolts to stop.
    StopBolts,
    /// Tell spouts to stop.
    StopSpouts,
}

/// Where the end has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Draining,
    Finishing(usize),
    StoppingBolts,
    Ended,
}

/// Decides how a topology ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    phase: Phase,
    limit: Duration,
    deadline: Option<Duration>,
    /// Since when the inputs have ended.
    exhausted_at: Option<Duration>,
    /// When the tick or finish that is running will have taken too long.
    own_deadline: Option<Duration>,
    /// Whether the limit passed, so that something was cut off.
    pub(crate) cut: bool,
}

impl Drain {
    pub(crate) fn new(limit: Duration) -> Self {
        let (deadline, exhausted_at, own_deadline) = (None, None, None);
        Self { phase: Phase::Running, limit, deadline, exhausted_at, own_deadline, cut: false }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// When the end will have taken too long, while it is under way.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let is_stopping = matches!(self.phase, Phase::StoppingBolts | Phase::Ended);
        self.deadline.into_iter().chain(self.own_deadline).min().filter(|_| !is_stopping)
    }

    /// Somebody asked the topology to end.
    pub(crate) fn ask(&mut self, now: Duration) -> Option<Command> {
        if self.phase != Phase::Running {
            return None;
        }
        self.phase = Phase::Draining;
        self.deadline = Some(now + self.limit);
        Some(Command::Drain)
    }

    /// Ends without waiting for anything.
    pub(crate) fn cut(&mut self) -> Command {
        self.cut = true;
        self.phase = Phase::StoppingBolts;
        Command::StopBolts
    }

    /// What to do next, given what was seen.
    pub(crate) fn step(&mut self, seen: Seen, now: Duration) -> Option<Command> {
        self.exhausted_at = seen.exhausted.then(|| self.exhausted_at.unwrap_or(now));
        let own_since = self.exhausted_at.zip(seen.own_since);
        self.own_deadline = own_since.map(|(exhausted, since)| since.max(exhausted) + self.limit);
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            return Some(self.cut());
        }
        match self.phase {
            // The inputs have not ended, they broke off: nobody is told to finish.
            Phase::Running | Phase::Draining if seen.exhausted && seen.quiet && seen.failed => {
                self.phase = Phase::StoppingBolts;
                Some(Command::StopBolts)
            }
            Phase::Running | Phase::Draining if seen.exhausted && seen.quiet && !seen.lost => {
                self.phase = Phase::Finishing(1);
                Some(Command::FinishBelow(1))
            }
            Phase::Finishing(below) if seen.quiet && seen.finished_below >= below => {
                if below >= seen.components {
                    if seen.held {
                        // In other threads, or forgotten: nobody else puts an end to that either.
                        self.deadline.get_or_insert(now + self.limit);
                    }
                    if seen.lost || seen.held {
                        return None;
                    }
                    self.phase = Phase::StoppingBolts;
                    return Some(Command::StopBolts);
                }
                self.phase = Phase::Finishing(below + 1);
                Some(Command::FinishBelow(below + 1))
            }
            // Tickets that nobody settled have failed by now; what is open still was lost.
            Phase::StoppingBolts
                if seen.bolts_stopped && (self.cut || seen.quiet && !seen.lost) =>
            {
                self.phase = Phase::Ended;
                Some(Command::StopSpouts)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(finished_below: usize) -> Seen {
        Seen {
            exhausted: true,
            quiet: true,
            lost: false,
            failed: false,
            finished_below,
            components: 3,
            bolts_stopped: false,
            held: false,
            own_since: None,
        }
    }

    #[test]
    fn components_finish_one_after_the_other() {
        let mut drain = Drain::new(Duration::from_secs(1));
        let now = Duration::ZERO;
        assert_eq!(drain.step(Seen { quiet: false, ..quiet(0) }, now), None);
        assert_eq!(drain.step(quiet(1), now), Some(Command::FinishBelow(1)));
        assert_eq!(drain.step(quiet(1), now), Some(Command::FinishBelow(2)));
        assert_eq!(drain.step(quiet(1), now), None, "the bolt at 1 has not finished");
        assert_eq!(drain.step(quiet(2), now), Some(Command::FinishBelow(3)));
        assert_eq!(drain.step(quiet(3), now), Some(Command::StopBolts));
        assert_eq!(drain.step(quiet(3), now), None);
        let stopped = Seen { bolts_stopped: true, ..quiet(3) };
        assert_eq!(drain.step(stopped, now), Some(Command::StopSpouts));
        assert!(drain.is_ended() && !drain.cut);
    }

    #[test]
    fn nobody_finishes_after_an_error() {
        let mut drain = Drain::new(Duration::from_secs(1));
        let failed = Seen { failed: true, ..quiet(0) };
        assert_eq!(drain.step(failed, Duration::ZERO), Some(Command::StopBolts));
    }

    #[test]
    fn what_is_lost_is_noticed_before_the_end() {
        let mut drain = Drain::new(Duration::from_secs(1));
        let now = Duration::ZERO;
        assert_eq!(drain.step(Seen { lost: true, ..quiet(0) }, now), None);
        assert_eq!(drain.step(quiet(0), now), Some(Command::FinishBelow(1)));
    }

    #[test]
    fn a_finish_has_the_limit_for_itself() {
        let (mut drain, second) = (Drain::new(Duration::from_secs(1)), Duration::from_secs(1));
        assert_eq!(drain.step(quiet(1), second), Some(Command::FinishBelow(1)));
        assert_eq!(drain.step(quiet(1), second), Some(Command::FinishBelow(2)));
        let finishing = Seen { quiet: false, own_since: Some(second), ..quiet(1) };
        assert_eq!(drain.step(finishing, second * 2 - Duration::from_nanos(1)), None);
        assert_eq!(drain.deadline(), Some(second * 2));
        let another = Seen { own_since: Some(second * 2), ..finishing };
        assert_eq!(drain.step(another, second * 2), None, "each has it for itself");
        let waits = Seen { own_since: None, ..finishing };
        assert_eq!(drain.step(waits, second * 9), None, "nobody hurries who waits for a reader");
        assert_eq!(drain.step(another, second * 9), Some(Command::StopBolts));
        assert!(drain.cut);
    }

    #[test]
    fn a_tick_that_began_before_the_inputs_ended_has_the_limit_from_then() {
        let (mut drain, second) = (Drain::new(Duration::from_secs(1)), Duration::from_secs(1));
        let tick = Seen { quiet: false, own_since: Some(second), ..quiet(0) };
        let running = Seen { exhausted: false, ..tick };
        assert_eq!(drain.step(running, second * 5), None);
        assert_eq!(drain.deadline(), None);
        assert_eq!(drain.step(tick, second * 5), None);
        assert_eq!(drain.deadline(), Some(second * 6));
        assert_eq!(drain.step(tick, second * 6), Some(Command::StopBolts));
    }

    #[test]
    fn tickets_that_are_held_after_the_last_finish_are_waited_for_up_to_the_limit() {
        let (mut drain, second) = (Drain::new(Duration::from_secs(1)), Duration::from_secs(1));
        for below in 1..=3 {
            let held = Seen { held: true, ..quiet(below - 1) };
            assert_eq!(drain.step(held, second), Some(Command::FinishBelow(below)));
        }
        let all = Seen { held: true, ..quiet(3) };
        assert_eq!(drain.step(all, second * 3), None);
        assert_eq!(drain.deadline(), Some(second * 4));
        let mut settled = drain;
        let before = second * 4 - Duration::from_nanos(1);
        assert_eq!(settled.step(quiet(3), before), Some(Command::StopBolts));
        assert!(!settled.cut);
    }

    #[test]
    fn at_the_limit_it_stops_waiting() {
        let mut drain = Drain::new(Duration::from_secs(1));
        assert_eq!(drain.ask(Duration::ZERO), Some(Command::Drain));
        let busy = Seen { quiet: false, exhausted: false, ..quiet(0) };
        assert_eq!(drain.step(busy, Duration::from_millis(900)), None);
        assert_eq!(drain.step(busy, Duration::from_secs(1)), Some(Command::StopBolts));
        assert!(drain.cut);
    }
}
