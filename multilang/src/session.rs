//! What a bolt knows of its child: which tuples are with it, and whether it is alive.
//!
//! Pure: the time is an argument. `T` is what a tuple is settled with, a ticket.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use rustc_hash::FxHashMap;

use crate::suspects::{Mark, Suspects};

/// Ticks that a child may leave unsettled, as some do with all of them.
const TICKS_MAX: usize = 1_024;

/// Heartbeats that a child may leave unanswered while it says other things.
const OWED_MAX: usize = 4_096;

/// Time between two heartbeats, as in Storm.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);

/// A tuple that the child has not acked or failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Given<T> {
    /// It belongs to trees.
    Held(T),
    /// A tick.
    Free,
    /// It has failed already, because of something that was emitted for it.
    Failed,
}

/// Why a child cannot go on: it broke the rules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It settled a tuple that it does not have.
    Settled(u64),
    /// It anchored to a tuple that it does not have.
    Anchored(u64),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settled(id) => write!(f, "acked or failed {id}, which it does not have"),
            Self::Anchored(id) => write!(f, "anchored to {id}, which it does not have"),
        }
    }
}

/// What is to be done about a silent child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing before this moment.
    Wait(Duration),
    /// It is to be sent a heartbeat.
    Send,
    /// It has said nothing for too long.
    Hung,
}

/// One life of a child.
#[derive(Debug)]
pub(crate) struct Session<T> {
    given: FxHashMap<u64, (Mark, Given<T>)>,
    suspects: Arc<Suspects>,
    /// The suspect that was given alone, until the child has got past it.
    alone: Option<(u64, Mark)>,
    /// Those of `given` that are no ticks, and how many there ever were.
    tuples: usize,
    all_tuples: u64,
    ticks: VecDeque<u64>,
    next_id: u64,
    heard: Duration,
    /// When the heartbeat was sent that it has not answered.
    asked: Option<Duration>,
    /// How many tuples had been given when each heartbeat was sent that is not answered, and when
    /// the last was sent that is. Ids do not tell: a tuple may wait long with its own. A child that
    /// says other things may owe several answers.
    asked_after: VecDeque<u64>,
    answered_after: u64,
    timeout: Duration,
}

impl<T> Session<T> {
    pub(crate) fn new(timeout: Duration, suspects: Arc<Suspects>) -> Self {
        let heard = Duration::ZERO;
        let (given, ticks) = (FxHashMap::default(), VecDeque::new());
        Self {
            given,
            suspects,
            alone: None,
            tuples: 0,
            all_tuples: 0,
            ticks,
            next_id: 1,
            heard,
            asked: None,
            asked_after: VecDeque::new(),
            answered_after: 0,
            timeout,
        }
    }

    /// A child begins, with nothing. Ids are never used again.
    pub(crate) fn begin(&mut self, now: Duration) {
        (self.heard, self.asked) = (now, None);
        self.asked_after.clear();
    }

    /// Tuples that are with the child, without ticks.
    pub(crate) fn len(&self) -> usize {
        self.tuples
    }

    /// An id for something that is not settled.
    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// The child is given a tuple.
    pub(crate) fn give(&mut self, id: u64, mark: Mark, ticket: T) {
        self.given.insert(id, (mark, Given::Held(ticket)));
        self.tuples += 1;
        self.all_tuples += 1;
        if self.suspects.is_one(mark) {
            self.alone = Some((id, mark));
        }
    }

    /// Whether the child may be given a tuple of this mark now, as far as it is about what killed
    /// one: a suspect when it has got past all others, and nothing until it has got past a suspect.
    pub(crate) fn may_give(&self, mark: Mark) -> bool {
        !self.is_watching() && (self.is_past_all() || !self.suspects.is_one(mark))
    }

    /// Whether a suspect is with the child, so that it is given nothing else.
    pub(crate) fn is_watching(&self) -> bool {
        self.alone.is_some()
    }

    /// Whether the child has got past all tuples that it was given: it has settled them, or has
    /// answered what came after them, and may keep them.
    fn is_past_all(&self) -> bool {
        self.tuples == 0 || self.has_read_all()
    }

    /// The child is given a tick.
    pub(crate) fn give_tick(&mut self, id: u64) {
        self.given.insert(id, (Mark::of(&[]), Given::Free));
        self.ticks.push_back(id);
        if self.ticks.len() > TICKS_MAX
            && let Some(oldest) = self.ticks.pop_front()
        {
            self.given.remove(&oldest);
        }
    }

    /// The child is done with a tuple, this way or that.
    pub(crate) fn settle(&mut self, id: u64) -> Result<Given<T>, Broken> {
        let (_, given) = self.given.remove(&id).ok_or(Broken::Settled(id))?;
        self.tuples -= usize::from(!matches!(given, Given::Free));
        if self.alone.is_some_and(|(alone, _)| alone == id) {
            self.clear();
        }
        Ok(given)
    }

    /// The child has got past the suspect that it was given alone.
    fn clear(&mut self) {
        if let Some((_, mark)) = self.alone.take() {
            self.suspects.clear(mark);
        }
    }

    /// What the child anchors to.
    pub(crate) fn anchors(&self, ids: &[u64]) -> Result<Vec<&T>, Broken> {
        let mut anchors = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            match &self.given.get(id).ok_or(Broken::Anchored(*id))?.1 {
                Given::Held(held) if !ids[..index].contains(id) => anchors.push(held),
                _ => {}
            }
        }
        Ok(anchors)
    }

    /// The tuples fail, whatever the child will say of them.
    pub(crate) fn fail(&mut self, ids: &[u64]) -> Vec<T> {
        let mut failed = Vec::new();
        for id in ids {
            if let Some((_, given)) = self.given.get_mut(id)
                && matches!(given, Given::Held(_))
                && let Given::Held(held) = std::mem::replace(given, Given::Failed)
            {
                failed.push(held);
            }
        }
        failed
    }

    /// The child has died: everything that it had, each a suspect from now on.
    pub(crate) fn lose(&mut self) -> Vec<T> {
        let tuples = self.given.values().filter(|(_, given)| !matches!(given, Given::Free));
        tuples.for_each(|(mark, _)| self.suspects.accuse(*mark));
        self.end()
    }

    /// The child is gone: everything that it had.
    pub(crate) fn end(&mut self) -> Vec<T> {
        let held = |given| match given {
            Given::Held(held) => Some(held),
            Given::Free | Given::Failed => None,
        };
        (self.tuples, self.alone) = (0, None);
        self.given.drain().filter_map(|(_, (_, given))| held(given)).collect()
    }

    /// The child said something, whatever it was.
    pub(crate) fn hear(&mut self, now: Duration) {
        (self.heard, self.asked) = (now, None);
    }

    /// Looks after a child from which nothing has come that was not heard yet.
    pub(crate) fn beat(&self, now: Duration) -> Beat {
        let (due, then) = match self.asked {
            Some(asked) => (asked.max(self.heard) + self.timeout, Beat::Hung),
            None => (self.heard + HEARTBEAT.min(self.timeout), Beat::Send),
        };
        match then {
            _ if now < due => Beat::Wait(due),
            // It says one thing and another, but answers nothing.
            Beat::Send if self.asked_after.len() >= OWED_MAX => Beat::Hung,
            then => then,
        }
    }

    /// A heartbeat was sent, behind everything else.
    pub(crate) fn ask(&mut self, now: Duration) {
        self.asked = Some(now);
        self.asked_after.push_back(self.all_tuples);
    }

    /// The child has answered the heartbeat that it was sent.
    pub(crate) fn answer(&mut self) {
        self.answered_after = self.asked_after.pop_front().unwrap_or(self.answered_after);
        if self.has_read_all() {
            self.clear();
        }
    }

    /// Whether the child has read every tuple that it was given.
    pub(crate) fn has_read_all(&self) -> bool {
        self.answered_after == self.all_tuples
    }

    /// Whether it is worth asking whether it has.
    pub(crate) fn may_ask(&self) -> bool {
        self.tuples > 0 && self.asked_after.is_empty() && !self.has_read_all()
    }
}

#[cfg(test)]
#[path = "session_test.rs"]
mod session_test;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Give(bool),
        Settle(u64),
        Anchor(Vec<u64>),
        Fail(u64),
        End,
    }

    impl Arbitrary for Step {
        fn arbitrary(g: &mut Gen) -> Self {
            let id = |g: &mut Gen| u64::from(u8::arbitrary(g) % 24);
            match u8::arbitrary(g) % 10 {
                0..=3 => Self::Give(bool::arbitrary(g)),
                4..=5 => Self::Settle(id(g)),
                6..=7 => Self::Anchor((0..u8::arbitrary(g) % 4).map(|_| id(g)).collect()),
                8 => Self::Fail(id(g)),
                _ => Self::End,
            }
        }
    }

    quickcheck! {
        /// Against a map of what each id should be: each ticket comes out exactly once.
        fn every_ticket_comes_out_once(steps: Vec<Step>) -> bool {
            let mut session = Session::new(Duration::from_secs(1), Arc::default());
            let mut known = BTreeMap::<u64, Given<u64>>::new();
            let (mut tickets, mut out) = (0, Vec::new());
            for step in steps {
                match step {
                    Step::Give(held) => {
                        let id = session.id();
                        tickets += u64::from(held);
                        if held {
                            session.give(id, Mark::of(&id.to_le_bytes()), tickets);
                            known.insert(id, Given::Held(tickets));
                        } else {
                            session.give_tick(id);
                            known.insert(id, Given::Free);
                        }
                    }
                    Step::Settle(id) => {
                        let settled = session.settle(id);
                        assert_eq!(settled.as_ref().ok(), known.remove(&id).as_ref());
                        out.extend(settled.ok().and_then(|given| match given {
                            Given::Held(ticket) => Some(ticket),
                            Given::Free | Given::Failed => None,
                        }));
                    }
                    Step::Anchor(ids) => {
                        let all = ids.iter().all(|id| known.contains_key(id));
                        assert_eq!(session.anchors(&ids).is_ok(), all);
                    }
                    Step::Fail(id) => {
                        out.extend(session.fail(&[id]));
                        known.entry(id).and_modify(|given| {
                            if matches!(given, Given::Held(_)) {
                                *given = Given::Failed;
                            }
                        });
                    }
                    Step::End => {
                        out.extend(session.end());
                        known.clear();
                    }
                }
                let tuples = known.values().filter(|given| **given != Given::Free).count();
                assert_eq!(session.len(), tuples);
            }
            out.extend(session.end());
            out.sort_unstable();
            out == (1..=tickets).collect::<Vec<_>>()
        }
    }

    #[test]
    fn one_tuple_is_one_anchor() {
        let mut session = Session::new(Duration::from_secs(1), Arc::default());
        session.give(1, Mark::of(b"a"), 'a');
        session.give_tick(2);
        assert_eq!(session.anchors(&[1, 1, 2]), Ok(vec![&'a']));
        assert_eq!(session.anchors(&[3]), Err(Broken::Anchored(3)));
    }

    #[test]
    fn ticks_that_nobody_settles_are_forgotten() {
        let mut session = Session::<()>::new(Duration::from_secs(1), Arc::default());
        (0..2_000).for_each(|id| session.give_tick(id));
        assert_eq!((session.len(), session.given.len()), (0, TICKS_MAX));
        assert_eq!(session.settle(1_999), Ok(Given::Free));
    }

    #[test]
    fn silence_is_asked_about_and_then_ended() {
        let at = Duration::from_millis;
        let mut session = Session::<()>::new(at(5_000), Arc::default());
        session.begin(at(100));
        assert_eq!(session.beat(at(200)), Beat::Wait(at(1_100)));
        assert_eq!(session.beat(at(1_100)), Beat::Send);
        session.ask(at(1_100));
        assert_eq!(session.beat(at(1_200)), Beat::Wait(at(6_100)));
        session.hear(at(6_000));
        session.answer();
        let id = session.id();
        session.give(id, Mark::of(b"a"), ());
        assert!(session.may_ask() && !session.has_read_all());
        session.ask(at(6_100));
        assert!(!session.may_ask() && !session.has_read_all());
        session.answer();
        let tick = session.id();
        session.give_tick(tick);
        assert!(!session.may_ask() && session.has_read_all());
        session.hear(at(6_000));
        assert_eq!(session.beat(at(6_200)), Beat::Wait(at(7_000)));
        session.ask(at(7_000));
        assert_eq!(session.beat(at(12_000)), Beat::Hung);
    }
}
