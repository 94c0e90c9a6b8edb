//! Notices user code that neither returns nor waits. Pure.
//!
//! `execute_timeout` is checked by the loop of the task, so it sees executes that await. Code that
//! blocks its thread is seen by nobody there: the controller reads from outside what each loop is
//! at. It looks when something may have grown too old, and not before, so an idle topology is
//! looked at about once in the shortest limit.
//!
//! It can only tell. A thread cannot be taken from code that keeps it.

use std::collections::BTreeMap;

use crate::{clock::Nanos, executor::user_code::At, limits};

/// A task that keeps its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) at: At,
    pub(crate) since: Nanos,
}

/// Decides who has kept a thread for too long, and when to look again.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    /// For each loop what was told of it last, so that each spell is told once.
    told: BTreeMap<usize, Blocked>,
}

impl Watchdog {
    /// Looks at all loops. `limit` says how long user code may keep its thread, `shortest` is the
    /// shortest of these limits. Returns who is to be told of, and when to look next.
    pub(crate) fn look(
        &mut self,
        now: Nanos,
        shortest: Nanos,
        loops: impl IntoIterator<Item = Option<(At, Nanos)>>,
        limit: impl Fn(At) -> Nanos,
    ) -> (Vec<Blocked>, Nanos) {
        let mut blocked = Vec::new();
        // What is entered from now on is not too old before.
        let mut next = now.saturating_add(shortest);
        for (index, at) in loops.into_iter().enumerate() {
            let Some((at, since)) = at else { continue };
            let spell = Blocked { at, since };
            if self.told.get(&index) == Some(&spell) {
                continue;
            }
            let due = since.saturating_add(limit(at));
            if now >= due {
                self.told.insert(index, spell);
                blocked.push(spell);
            } else {
                next = next.min(due);
            }
        }
        let pause = limits::WATCH_PAUSE_MIN.as_nanos() as Nanos;
        (blocked, next.max(now.saturating_add(pause)))
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::Clock,
        engine::{Setup, build},
        executor::user_code::UserCode,
        report::Phase,
        testkit::Feed,
    };

    const MS: Nanos = 1_000_000;

    fn at(task: usize) -> At {
        At::new(task, Phase::Execute)
    }

    #[test]
    fn a_spell_is_told_once_and_the_next_one_anew() {
        let (mut dog, limit) = (Watchdog::default(), |_| 100 * MS);
        let first = Some((at(3), 10 * MS));
        assert_eq!(dog.look(20 * MS, 100 * MS, [None, first], limit), (vec![], 110 * MS));
        let told = vec![Blocked { at: at(3), since: 10 * MS }];
        assert_eq!(dog.look(110 * MS, 100 * MS, [None, first], limit), (told, 210 * MS));
        assert_eq!(dog.look(210 * MS, 100 * MS, [None, first], limit), (vec![], 310 * MS));
        let second = Some((at(3), 250 * MS));
        assert_eq!(dog.look(360 * MS, 100 * MS, [None, second], limit).0.len(), 1);
    }

    #[test]
    fn tasks_have_limits_of_their_own() {
        let mut dog = Watchdog::default();
        let limit = |at: At| if at.task() == 0 { Nanos::MAX } else { 10 * MS };
        let loops = [Some((at(0), 0)), Some((at(1), 0))];
        let (told, _) = dog.look(1_000 * MS, 10 * MS, loops, limit);
        assert_eq!(told, [Blocked { at: at(1), since: 0 }]);
    }

    #[test]
    fn a_spout_that_may_block_waits_for_its_input_as_long_as_it_likes() {
        let mut t = crate::Topology::new("t");
        let _ = t.spout("waits", Feed::<u64>::new().spout()).blocking();
        let _ = t.spout("others", Feed::<u64>::new().spout());
        let built = build(t, Setup::new(Clock::simulated(), 1, 1)).expect("a sound topology");
        let (shared, user_code) = (&built.handle.shared, Arc::<UserCode>::default());
        shared.loops.lock().expect("nobody panics").push(user_code.clone());
        let mut dog = Watchdog::default();
        for (task, phase) in [(0, Phase::Next), (0, Phase::Acked), (1, Phase::Next)] {
            let now = shared.clock.now();
            let _inside = user_code.enter(At::new(task, phase), now, &shared.clock);
            shared.clock.advance_to(now + 29_000 * MS);
            assert_eq!(built.handle.watch(&mut dog).min(now + 30_000 * MS), now + 30_000 * MS);
            shared.clock.advance_to(now + 31_000 * MS);
            let _ = built.handle.watch(&mut dog);
        }
        let errors = shared.reports.errors().into_iter();
        let told: Vec<_> = errors.map(|e| (e.component, e.phase, e.error)).collect();
        let why = |phase, rest| format!("stuck: `{phase}` has not returned for 31.0 s{rest}");
        let others = ", and nothing else runs on its core: let it await, or declare it `blocking`";
        let waits = ("waits".to_owned(), Some(Phase::Acked), why(Phase::Acked, ""));
        assert_eq!(
            told,
            [waits, ("others".to_owned(), Some(Phase::Next), why(Phase::Next, others))]
        );
    }

    quickcheck! {
        /// One loop with spells of work and of rest, looked at when the watchdog wants to: told
        /// of is each spell that lasts, once, and not much later than it is too long.
        fn each_long_spell_is_told_once_and_in_time(spells: Vec<(u8, u8)>) -> bool {
            let (limit, late) = (50 * MS, limits::WATCH_PAUSE_MIN.as_nanos() as Nanos);
            let (mut dog, mut told, mut next, mut start) = (Watchdog::default(), vec![], 0, 0);
            let mut long = Vec::new();
            for (rest, work) in spells {
                let from = start + (1 + u64::from(rest)) * MS;
                let until = from + u64::from(work) * MS;
                while next < until {
                    let seen = (next >= from).then_some((at(0), from));
                    let now = next;
                    let (blocked, again) = dog.look(now, limit, [seen], |_| limit);
                    told.extend(blocked.into_iter().map(|blocked| (blocked.since, now)));
                    next = again;
                }
                start = until;
                long.push((from, until - from));
            }
            let is_in_time = |(since, now): &(u64, u64)| {
                (since + limit..=since + limit + late).contains(now)
            };
            let is_told = |since: &u64| told.iter().filter(|told| told.0 == *since).count();
            told.iter().all(is_in_time)
                && long.iter().all(|(from, took)| match is_told(from) {
                    0 => *took <= limit + late,
                    1 => *took > limit,
                    _ => false,
                })
        }
    }
}
