//! Tumbling and sliding windows over event time. Pure.
//!
//! Time is cut into panes, so that every window is made of whole panes: the width of a pane is the
//! greatest common divisor of width and slide. A tuple goes into one pane, however many windows
//! there are; a window puts its panes together when it fires. A pane goes when the last of its
//! windows cannot change any more.

use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxBuildHasher;

use super::{
    Aggregate,
    machine::{AllFired, Fired, Firing, Inputs, Lengths, Machine, common_divisor},
    progress::BEGINNING,
};

type Table<K, S> = HashMap<K, S, FxBuildHasher>;

/// The windows of one task.
pub struct Panes<K, A: Aggregate, H> {
    aggregate: A,
    width: i64,
    slide: i64,
    pane: i64,
    lateness: i64,
    watermark: i64,
    due: i64,
    /// The pane that the last tuple went to, and its range; an empty one if there is none.
    last: Pane<K, A::State, H>,
    last_start: i64,
    last_width: u64,
    /// Whether a window of that pane has fired.
    last_fired: bool,
    others: BTreeMap<i64, Pane<K, A::State, H>>,
    /// The memory of a pane that has gone, for the next one.
    spare: Table<K, A::State>,
}

struct Pane<K, S, H> {
    states: Table<K, S>,
    inputs: H,
}

impl<K, S, H: Default> Default for Pane<K, S, H> {
    fn default() -> Self {
        Self { states: HashMap::default(), inputs: H::default() }
    }
}

impl<K: std::hash::Hash + Eq + Clone, A: Aggregate, H: Inputs> Panes<K, A, H> {
    /// The smallest end, after `after`, of a window that contains this pane.
    fn end_after(&self, pane: i64, after: i64) -> Option<i64> {
        let least = after.saturating_add(1).max(pane + self.pane);
        let end = least + (self.width - least).rem_euclid(self.slide);
        (end <= self.last_window(pane)).then_some(end)
    }

    /// The end of the last window that contains this pane.
    fn last_window(&self, pane: i64) -> i64 {
        pane.div_euclid(self.slide) * self.slide + self.width
    }

    /// When nothing can change the windows of this pane any more.
    fn is_final_at(&self, pane: i64) -> i64 {
        self.last_window(pane).saturating_add(self.lateness)
    }

    fn due_of(&self, pane: i64) -> i64 {
        self.end_after(pane, self.watermark).unwrap_or(i64::MAX).min(self.is_final_at(pane))
    }

    /// Makes the pane of this time the last one. False if it is too late.
    #[inline(never)]
    fn go_to(&mut self, time: i64) -> bool {
        let start = time.div_euclid(self.pane) * self.pane;
        if self.is_final_at(start) <= self.watermark {
            return false;
        }
        self.put_back();
        let states = &mut self.spare;
        let new = || Pane { states: std::mem::take(states), inputs: H::default() };
        self.last = self.others.remove(&start).unwrap_or_else(new);
        (self.last_start, self.last_width) = (start, self.pane as u64);
        self.last_fired = self.end_after(start, BEGINNING).is_some_and(|e| e <= self.watermark);
        self.due = self.due.min(self.due_of(start));
        true
    }

    fn put_back(&mut self) {
        if self.last_width > 0 {
            self.others.insert(self.last_start, std::mem::take(&mut self.last));
        }
        self.last_width = 0;
    }

    /// A tuple came to a pane of which some window has fired: fires those again that still may.
    #[cold]
    fn fire_again(&mut self, key: &K, fired: &mut AllFired<K, A>) {
        let pane = self.last_start;
        self.put_back();
        let mut end = self.end_after(pane, self.watermark.saturating_sub(self.lateness));
        while let Some(at) = end.filter(|end| *end <= self.watermark) {
            let panes = self.others.range(at - self.width..at);
            let states = panes.filter_map(|(_, pane)| pane.states.get(key).cloned());
            let merged = states.reduce(|mut state, other| {
                self.aggregate.merge(&mut state, other);
                state
            });
            if let Some(state) = merged {
                let (start, value) = (at - self.width, self.aggregate.result(&state));
                let firing = Firing::Late;
                fired.push(Fired { key: key.clone(), start, end: at, firing, value });
            }
            end = self.end_after(pane, at);
        }
        self.last = self.others.remove(&pane).unwrap_or_default();
        (self.last_start, self.last_width) = (pane, self.pane as u64);
    }

    fn fire(&self, end: i64, fired: &mut AllFired<K, A>) {
        let start = end - self.width;
        let mut give = |key: &K, state: &A::State| {
            let (key, value) = (key.clone(), self.aggregate.result(state));
            fired.push(Fired { key, start, end, firing: Firing::OnTime, value });
        };
        let mut panes = self.others.range(start..end).map(|(_, pane)| pane);
        let Some(first) = panes.next() else { return };
        let Some(second) = panes.next() else {
            return first.states.iter().for_each(|(key, state)| give(key, state));
        };
        let mut merged = first.states.clone();
        for pane in std::iter::once(second).chain(panes) {
            for (key, state) in &pane.states {
                match merged.get_mut(key) {
                    Some(into) => self.aggregate.merge(into, state.clone()),
                    None => {
                        merged.insert(key.clone(), state.clone());
                    }
                }
            }
        }
        merged.iter().for_each(|(key, state)| give(key, state));
    }

    /// The next end of a window that has not fired.
    fn next_end(&self) -> Option<i64> {
        self.others.keys().filter_map(|pane| self.end_after(*pane, self.watermark)).min()
    }
}

impl<K, A, H> Machine<K, A, H> for Panes<K, A, H>
where
    K: std::hash::Hash + Eq + Clone,
    A: Aggregate,
    H: Inputs,
{
    fn start(aggregate: A, lengths: &Lengths) -> Self {
        let Lengths { width, slide, lateness, .. } = *lengths;
        Self {
            aggregate,
            width,
            slide,
            pane: common_divisor(width, slide),
            lateness,
            watermark: BEGINNING,
            due: i64::MAX,
            last: Pane::default(),
            last_start: 0,
            last_width: 0,
            last_fired: false,
            others: BTreeMap::new(),
            spare: HashMap::default(),
        }
    }

    #[inline]
    fn add(
        &mut self,
        time: i64,
        key: K,
        value: &A::In,
        fired: &mut AllFired<K, A>,
        _done: &mut Vec<H>,
    ) -> Option<&mut H> {
        let is_last = (time.wrapping_sub(self.last_start) as u64) < self.last_width;
        if !is_last && !self.go_to(time) {
            return None;
        }
        let again = self.last_fired.then(|| key.clone());
        match self.last.states.get_mut(&key) {
            Some(state) => self.aggregate.combine(state, value),
            None => {
                self.last.states.insert(key, self.aggregate.first(value));
            }
        }
        if let Some(key) = again {
            self.fire_again(&key, fired);
        }
        Some(&mut self.last.inputs)
    }

    #[inline]
    fn due(&self) -> i64 {
        self.due
    }

    fn advance(&mut self, watermark: i64, fired: &mut AllFired<K, A>, done: &mut Vec<H>) {
        if watermark < self.due {
            self.watermark = watermark;
            return;
        }
        self.put_back();
        while let Some(end) = self.next_end().filter(|end| *end <= watermark) {
            self.fire(end, fired);
            self.watermark = end;
        }
        self.watermark = watermark;
        while let Some(oldest) = self.others.first_entry() {
            let last_window = oldest.key().div_euclid(self.slide) * self.slide + self.width;
            if last_window.saturating_add(self.lateness) > watermark {
                break;
            }
            let Pane { mut states, inputs } = oldest.remove();
            // A table that is much too large would be slow to go through.
            if states.capacity() / 4 <= states.len() {
                states.clear();
                self.spare = states;
            }
            done.push(inputs);
        }
        let due = self.others.keys().map(|pane| self.due_of(*pane)).min();
        self.due = due.unwrap_or(i64::MAX);
    }

    fn finish(&mut self, fired: &mut AllFired<K, A>, done: &mut Vec<H>) {
        self.put_back();
        while let Some(end) = self.next_end() {
            self.fire(end, fired);
            self.watermark = end;
        }
        done.extend(std::mem::take(&mut self.others).into_values().map(|pane| pane.inputs));
        (self.watermark, self.due) = (i64::MAX, i64::MAX);
    }
}
