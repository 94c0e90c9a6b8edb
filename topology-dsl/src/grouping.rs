//! Groupings: which task gets which tuple.
//!
//! A grouping decides for a whole batch at a time, so that the choice of the algorithm is made
//! once a batch and the loop over the tuples is tight. The engine's [`Lanes`] do the rest.

use std::task::{Context as Waking, Poll};

use serde::Serialize;

use crate::{
    KeyGroup, KeyHasher, Root,
    engine::{Anchors, Batch, Flush, Lanes, Picks, Router},
};

/// The closed list of groupings, as a plan shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any task, evenly.
    Shuffle,
    /// Any task, nobody cares.
    None,
    /// Any task of this worker.
    LocalOrShuffle,
    /// By key.
    By,
    /// By key, two candidates each.
    PartialBy,
    /// Every task.
    All,
    /// The first task.
    Global,
    /// Named by the emitter.
    Direct,
    /// The user's own.
    Custom,
}

impl Kind {
    /// Whether the tuple may stay with the task of the same number, where both sides have
    /// equally many.
    #[must_use]
    pub fn may_stay(self) -> bool {
        matches!(self, Self::Shuffle | Self::None | Self::LocalOrShuffle)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shuffle => "shuffle",
            Self::None => "none",
            Self::LocalOrShuffle => "local_or_shuffle",
            Self::By => "by",
            Self::PartialBy => "partial_by",
            Self::All => "all",
            Self::Global => "global",
            Self::Direct => "direct",
            Self::Custom => "custom",
        })
    }
}

/// A grouping of the user's own. Every sending task has a clone.
///
/// ```
/// use tormenta_dsl::grouping::Grouping;
///
/// /// Even numbers to the first task, odd ones to the last.
/// #[derive(Clone)]
/// struct Parity;
///
/// impl Grouping<u64> for Parity {
///     fn choose(&mut self, n: &u64, tasks: usize, chosen: &mut Vec<usize>) {
///         chosen.push(if n % 2 == 0 { 0 } else { tasks - 1 });
///     }
/// }
/// ```
pub trait Grouping<T>: Clone + Send + Sync + 'static {
    /// Adds to `chosen` the tasks, each below `tasks`, that get this tuple.
    fn choose(&mut self, tuple: &T, tasks: usize, chosen: &mut Vec<usize>);
}

/// [`Grouping`] without its `Clone`.
pub(crate) trait ChooseTasks<T> {
    fn choose(&mut self, tuple: &T, tasks: usize, chosen: &mut Vec<usize>);
}

impl<T, G: Grouping<T>> ChooseTasks<T> for G {
    fn choose(&mut self, tuple: &T, tasks: usize, chosen: &mut Vec<usize>) {
        Grouping::choose(self, tuple, tasks, chosen);
    }
}

/// Hashes the keys of a whole batch, so that the loop and the key expression compile together.
pub(crate) trait HashKeys<T> {
    fn hash_keys(&self, tuples: &[T], hashes: &mut Vec<u64>);
}

impl<T, F: Fn(&T, &mut KeyHasher)> HashKeys<T> for F {
    fn hash_keys(&self, tuples: &[T], hashes: &mut Vec<u64>) {
        hashes.clear();
        hashes.extend(tuples.iter().map(|tuple| {
            let mut hasher = KeyHasher::new();
            self(tuple, &mut hasher);
            hasher.hash()
        }));
    }
}

type HashKey<T> = Box<dyn HashKeys<T>>;

/// A grouping at work in one sending task.
pub(crate) enum Choose<T> {
    Shuffle,
    LocalOrShuffle,
    By(HashKey<T>),
    PartialBy(HashKey<T>),
    All,
    Global,
    Direct,
    Custom(Box<dyn ChooseTasks<T>>),
}

/// A grouping in front of lanes.
pub(crate) struct Routed<T> {
    choose: Choose<T>,
    lanes: Box<dyn Lanes<T>>,
    /// The lane that a shuffle tries next.
    next: usize,
    /// Tuples that a partial key sent down each lane.
    sent: Vec<u64>,
    /// Lanes that a shuffle may use for the batch at hand.
    open: Vec<u32>,
    /// Lanes to quick tasks, which may be given more than can leave at once.
    quick: Vec<u32>,
    hashes: Vec<u64>,
    /// Where in a batch a key was looked at last.
    sampled: u32,
    picks: Vec<u32>,
    pairs: Vec<(u32, u32)>,
    chosen: Vec<usize>,
}

impl<T> Routed<T> {
    pub(crate) fn new(choose: Choose<T>, lanes: Box<dyn Lanes<T>>, task: usize) -> Self {
        let count = lanes.count();
        Self {
            choose,
            lanes,
            // Sending tasks start at different lanes, so that the first tuples spread as well.
            next: task % count,
            sent: vec![0; count],
            open: Vec::new(),
            quick: Vec::new(),
            hashes: Vec::new(),
            sampled: 0,
            picks: Vec::new(),
            pairs: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// The lanes whose queue is short: within `slack` of the shortest, as tuples of a quick task.
    fn open_lanes(&mut self, local_only: bool, slack: usize) {
        let lanes = &self.lanes;
        let local = local_only && (0..lanes.count()).any(|lane| lanes.is_local(lane));
        let usable = || (0..lanes.count()).filter(|lane| !local || lanes.is_local(*lane));
        // A queue is as long as the time that it takes.
        let queue = |lane: &usize| lanes.backlog(*lane) as f64 / lanes.pace(*lane).max(1) as f64;
        let quickest = usable().map(|lane| lanes.pace(lane)).max().unwrap_or(1);
        let shortest = usable().map(|lane| queue(&lane)).fold(f64::INFINITY, f64::min);
        let limit = shortest + slack as f64 / quickest as f64;
        self.open.clear();
        self.open.extend(usable().filter(|lane| queue(lane) <= limit).map(|lane| lane as u32));
        self.quick.clear();
        let is_quick = |lane: &usize| lanes.pace(*lane) >= quickest / 2;
        self.quick.extend(usable().filter(is_quick).map(|lane| lane as u32));
    }

    fn shuffle(&mut self, batch: &mut Batch<T>, local_only: bool) {
        // A lane may be this far ahead before it is left out; a small batch evens out less.
        self.open_lanes(local_only, 2 * batch.len());
        let open = self.open.len();
        self.picks.clear();
        let share = batch.len().div_ceil(open);
        if self.open.iter().all(|lane| self.credit(*lane) >= share) {
            self.picks.extend((0..batch.len()).map(|i| self.open[(self.next + i) % open]));
        } else {
            self.spread(batch.len());
        }
        self.next = (self.next + batch.len()) % self.lanes.count();
        self.lanes.accept(batch, Picks::Each(&self.picks));
    }

    /// Tuples that can leave through a lane at once.
    fn credit(&self, lane: u32) -> usize {
        let lane = lane as usize;
        self.lanes.window(lane).saturating_sub(self.lanes.backlog(lane))
    }

    /// Gives every open lane as much as can leave at once, and the rest to those whose tasks are
    /// quick, so that nobody waits for a slow one.
    fn spread(&mut self, mut tuples: usize) {
        let mut credit: Vec<usize> = self.open.iter().map(|lane| self.credit(*lane)).collect();
        let open = self.open.len();
        while tuples > 0 && credit.iter().any(|credit| *credit > 0) {
            for index in (0..open).map(|i| (self.next + i) % open) {
                if tuples > 0 && credit[index] > 0 {
                    credit[index] -= 1;
                    tuples -= 1;
                    self.picks.push(self.open[index]);
                }
            }
        }
        self.picks.extend((0..tuples).map(|i| self.quick[(self.next + i) % self.quick.len()]));
    }

    fn by_key(&mut self, batch: &mut Batch<T>) {
        let (Choose::By(key), tasks) = (&self.choose, self.lanes.count()) else { return };
        key.hash_keys(&batch.values, &mut self.hashes);
        self.picks.clear();
        let owner = |hash: &u64| KeyGroup::of_hash(*hash).owner(tasks) as u32;
        self.picks.extend(self.hashes.iter().map(owner));
        // One tuple stands for the batch, each time at another place.
        self.sampled = self.sampled.wrapping_mul(0x9E37_79B1).wrapping_add(1);
        let sample = self.hashes.get(self.sampled as usize % self.hashes.len().max(1));
        if let Some(hash) = sample {
            self.lanes.sample(KeyGroup::of_hash(*hash), batch.len());
        }
        self.lanes.accept(batch, Picks::Each(&self.picks));
    }

    fn partial_by_key(&mut self, batch: &mut Batch<T>) {
        let (Choose::PartialBy(key), tasks) = (&self.choose, self.lanes.count()) else { return };
        key.hash_keys(&batch.values, &mut self.hashes);
        self.picks.clear();
        for hash in &self.hashes {
            let first = KeyGroup::of_hash(*hash).owner(tasks);
            let second = KeyGroup::of_hash(hash.rotate_left(32)).owner(tasks);
            let second = if second == first { (first + 1) % tasks } else { second };
            let lane = if self.sent[second] < self.sent[first] { second } else { first };
            self.sent[lane] += 1;
            self.picks.push(lane as u32);
        }
        self.lanes.accept(batch, Picks::Each(&self.picks));
    }

    fn direct(&mut self, batch: &mut Batch<T>) {
        let tasks = self.lanes.count();
        if batch.roots.iter().any(|(_, task)| task >= tasks as u64) {
            self.fail_misdirected(batch);
        }
        self.picks.clear();
        self.picks.extend(batch.roots.iter().map(|(_, task)| task as u32));
        self.lanes.accept(batch, Picks::Each(&self.picks));
    }

    /// Fails the tuples that name a task which is not there, and keeps the others.
    #[cold]
    fn fail_misdirected(&mut self, batch: &mut Batch<T>) {
        let (tasks, mut kept) = (self.lanes.count(), Batch::new());
        kept.epoch.clone_from(&batch.epoch);
        batch.take_each(|anchors, root, task, value| {
            if task < tasks as u64 {
                return kept.push_from(anchors, root, task, value);
            }
            let why = format!("`emit_direct` to task {task} of a bolt that has {tasks}");
            self.lanes.fail(anchors, root, &why);
        });
        *batch = kept;
    }

    fn custom(&mut self, batch: &mut Batch<T>) {
        let (Choose::Custom(grouping), tasks) = (&mut self.choose, self.lanes.count()) else {
            return;
        };
        self.pairs.clear();
        for (index, tuple) in batch.values.iter().enumerate() {
            self.chosen.clear();
            grouping.choose(tuple, tasks, &mut self.chosen);
            let lanes =
                self.chosen.iter().map(|lane| (index as u32, (*lane).min(tasks - 1) as u32));
            self.pairs.extend(lanes);
        }
        self.lanes.accept(batch, Picks::Pairs(&self.pairs));
    }
}

impl<T> Router<T> for Routed<T> {
    fn accept(&mut self, batch: &mut Batch<T>) {
        let one = self.lanes.count() == 1;
        match &self.choose {
            Choose::Custom(_) => self.custom(batch),
            Choose::All => self.lanes.accept(batch, Picks::All),
            Choose::Direct => self.direct(batch),
            _ if one => self.lanes.accept(batch, Picks::One(0)),
            Choose::Global => self.lanes.accept(batch, Picks::One(0)),
            Choose::Shuffle => self.shuffle(batch, false),
            Choose::LocalOrShuffle => self.shuffle(batch, true),
            Choose::By(_) => self.by_key(batch),
            Choose::PartialBy(_) => self.partial_by_key(batch),
        }
    }

    fn room(&self) -> usize {
        self.lanes.room()
    }

    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        self.lanes.poll_flush(cx, flush)
    }

    fn told(&self, tasks: &mut Vec<usize>) {
        let number = |lane: usize| self.lanes.number(lane);
        let one = self.lanes.count() == 1;
        match &self.choose {
            Choose::Custom(_) => {
                tasks.extend(self.pairs.iter().map(|(_, lane)| number(*lane as usize)));
            }
            Choose::All => tasks.extend((0..self.lanes.count()).map(number)),
            Choose::Global => tasks.push(number(0)),
            // One that was misdirected was picked for nobody.
            Choose::Direct => tasks.extend(self.picks.iter().map(|lane| number(*lane as usize))),
            _ if one => tasks.push(number(0)),
            _ => tasks.extend(self.picks.iter().map(|lane| number(*lane as usize))),
        }
    }

    fn accept_only(&mut self, batch: &mut Batch<T>, task: usize) -> bool {
        let is_direct = matches!(self.choose, Choose::Direct);
        let lane =
            (0..self.lanes.count()).find(|lane| is_direct && self.lanes.number(*lane) == task);
        let Some(lane) = lane else { return false };
        self.lanes.accept(batch, Picks::One(lane));
        true
    }

    fn refuse(&mut self, batch: &mut Batch<T>, why: &str) {
        batch.take_each(|anchors, root, _, _| self.lanes.fail(anchors, root, why));
    }
}

/// Lanes of `I` that can be fed with `T`.
pub(crate) struct Convert<T, I> {
    lanes: Box<dyn Lanes<I>>,
    constructor: fn(T) -> I,
    converted: Batch<I>,
}

impl<T, I> Convert<T, I> {
    pub(crate) fn new(lanes: Box<dyn Lanes<I>>, constructor: fn(T) -> I) -> Self {
        Self { lanes, constructor, converted: Batch::new() }
    }
}

impl<T, I> Lanes<T> for Convert<T, I> {
    fn count(&self) -> usize {
        self.lanes.count()
    }

    fn window(&self, lane: usize) -> usize {
        self.lanes.window(lane)
    }

    fn pace(&self, lane: usize) -> usize {
        self.lanes.pace(lane)
    }

    fn backlog(&self, lane: usize) -> usize {
        self.lanes.backlog(lane)
    }

    fn is_local(&self, lane: usize) -> bool {
        self.lanes.is_local(lane)
    }

    fn number(&self, lane: usize) -> usize {
        self.lanes.number(lane)
    }

    fn sample(&mut self, group: KeyGroup, tuples: usize) {
        self.lanes.sample(group, tuples);
    }

    fn accept(&mut self, batch: &mut Batch<T>, picks: Picks<'_>) {
        let converted = &mut self.converted;
        converted.values.extend(batch.values.drain(..).map(self.constructor));
        converted.roots.append(&mut batch.roots);
        converted.anchors.append(&mut batch.anchors);
        converted.epoch = batch.epoch.take();
        self.lanes.accept(converted, picks);
        converted.clear();
    }

    fn fail(&mut self, anchors: &[Anchors], root: Root, why: &str) {
        self.lanes.fail(anchors, root, why);
    }

    fn room(&self) -> usize {
        self.lanes.room()
    }

    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        self.lanes.poll_flush(cx, flush)
    }
}
