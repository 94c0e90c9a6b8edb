//! Session windows over event time: tuples of a key without a long pause between them. Pure.
//!
//! A session begins with a tuple and ends a gap after its last one. A tuple that falls into two
//! sessions makes one of them.

use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxBuildHasher;

use super::{
    Aggregate,
    machine::{AllFired, Fired, Firing, Inputs, Lengths, Machine},
    progress::BEGINNING,
};

/// The sessions of one task.
pub struct Sessions<K, A: Aggregate, H> {
    aggregate: A,
    gap: i64,
    lateness: i64,
    watermark: i64,
    keys: HashMap<K, Key<A::State, H>, FxBuildHasher>,
    /// Keys that are to be looked at, by the watermark at which.
    timers: BTreeMap<i64, Vec<K>>,
}

struct Key<S, H> {
    /// In the order of time; they do not overlap.
    sessions: Vec<Session<S, H>>,
    /// The earliest timer that is set for the key.
    timer: i64,
}

struct Session<S, H> {
    start: i64,
    /// A gap after the last tuple.
    end: i64,
    state: S,
    inputs: H,
    has_fired: bool,
}

impl<K: std::hash::Hash + Eq + Clone, A: Aggregate, H: Inputs> Sessions<K, A, H> {
    /// Looks at a key whose time has come.
    fn look(&mut self, name: K, watermark: i64, fired: &mut AllFired<K, A>, done: &mut Vec<H>) {
        let Some(key) = self.keys.get_mut(&name) else { return };
        for session in key.sessions.iter_mut().filter(|session| session.end <= watermark) {
            if !std::mem::replace(&mut session.has_fired, true) {
                let value = self.aggregate.result(&session.state);
                let (start, end, firing) = (session.start, session.end, Firing::OnTime);
                fired.push(Fired { key: name.clone(), start, end, firing, value });
            }
        }
        let is_final = |session: &mut Session<A::State, H>| {
            session.end.saturating_add(self.lateness) <= watermark
        };
        done.extend(key.sessions.extract_if(.., is_final).map(|session| session.inputs));
        let lateness = self.lateness;
        let due = |session: &Session<A::State, H>| {
            session.end.saturating_add(if session.has_fired { lateness } else { 0 })
        };
        match key.sessions.iter().map(due).min() {
            None => {
                self.keys.remove(&name);
            }
            Some(timer) => {
                key.timer = timer;
                self.timers.entry(timer).or_default().push(name);
            }
        }
    }
}

/// Joins all sessions that overlap `start..end` into one, at its place in the order of time.
/// Returns that place.
fn join<A: Aggregate, H: Inputs>(
    sessions: &mut Vec<Session<A::State, H>>,
    aggregate: &A,
    value: &A::In,
    (start, end): (i64, i64),
) -> usize {
    let from = sessions.partition_point(|session| session.end <= start);
    let to = sessions.partition_point(|session| session.start < end);
    if from == to {
        let (state, inputs) = (aggregate.first(value), H::default());
        sessions.insert(from, Session { start, end, state, inputs, has_fired: false });
        return from;
    }
    let rest: Vec<_> = sessions.drain(from + 1..to).collect();
    let session = &mut sessions[from];
    aggregate.combine(&mut session.state, value);
    (session.start, session.end) = (session.start.min(start), session.end.max(end));
    for other in rest {
        aggregate.merge(&mut session.state, other.state);
        session.inputs.absorb(other.inputs);
        session.end = session.end.max(other.end);
    }
    from
}

impl<K, A, H> Machine<K, A, H> for Sessions<K, A, H>
where
    K: std::hash::Hash + Eq + Clone,
    A: Aggregate,
    H: Inputs,
{
    fn start(aggregate: A, lengths: &Lengths) -> Self {
        let (gap, lateness) = (lengths.width, lengths.lateness);
        let (watermark, keys, timers) = (BEGINNING, HashMap::default(), BTreeMap::new());
        Self { aggregate, gap, lateness, watermark, keys, timers }
    }

    fn add(
        &mut self,
        time: i64,
        key: K,
        value: &A::In,
        fired: &mut AllFired<K, A>,
        _done: &mut Vec<H>,
    ) -> Option<&mut H> {
        let span = (time, time.saturating_add(self.gap));
        let overlaps = |s: &Session<A::State, H>| s.start < span.1 && span.0 < s.end;
        let known = self.keys.get(&key);
        let is_late = span.1.saturating_add(self.lateness) <= self.watermark;
        if is_late && !known.is_some_and(|key| key.sessions.iter().any(overlaps)) {
            return None;
        }
        let new = || Key { sessions: Vec::new(), timer: i64::MAX };
        let name = key.clone();
        let of_key = self.keys.entry(key).or_insert_with(new);
        let at = join(&mut of_key.sessions, &self.aggregate, value, span);
        let session = &mut of_key.sessions[at];
        session.has_fired = session.end <= self.watermark;
        if session.has_fired {
            let value = self.aggregate.result(&session.state);
            let (start, end, firing) = (session.start, session.end, Firing::Late);
            fired.push(Fired { key: name.clone(), start, end, firing, value });
        }
        let due = session.end.saturating_add(if session.has_fired { self.lateness } else { 0 });
        if due < of_key.timer {
            of_key.timer = due;
            self.timers.entry(due).or_default().push(name);
        }
        Some(&mut of_key.sessions[at].inputs)
    }

    #[inline]
    fn due(&self) -> i64 {
        self.timers.first_key_value().map_or(i64::MAX, |(due, _)| *due)
    }

    fn advance(&mut self, watermark: i64, fired: &mut AllFired<K, A>, done: &mut Vec<H>) {
        self.watermark = watermark;
        let before = fired.len();
        while let Some(timer) = self.timers.first_entry().filter(|t| *t.key() <= watermark) {
            let due = *timer.key();
            for name in timer.remove() {
                // Others of the key were looked at meanwhile, if an earlier timer was set.
                if self.keys.get(&name).is_some_and(|key| key.timer == due) {
                    self.look(name, watermark, fired, done);
                }
            }
        }
        fired[before..].sort_by_key(|fired| fired.end);
    }

    fn finish(&mut self, fired: &mut AllFired<K, A>, done: &mut Vec<H>) {
        self.advance(i64::MAX, fired, done);
    }
}
