//! Tuples that were with a child when it died, one of which may have killed it. Pure.
//!
//! A tuple that kills its child takes along all that are with it. They come again, and so does the
//! one: with the others again it would use up their attempts as well as its own. So what was with a
//! child that died is given to one alone the next time, until it has got past it. A tuple that
//! kills nobody therefore dies with others once at most, whatever the order they come in, and
//! however many there are that do kill.
//!
//! A tuple is known again by a mark, a hash of what the child is told: who emits it again, and
//! whether by itself, makes no difference. Two of the same mark may be taken for each other, which
//! costs time and nothing else.

use std::{
    collections::BTreeMap,
    hash::Hasher,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustc_hash::{FxHashMap, FxHasher};
use tormenta_dsl::Context;

/// Marks that are kept. Those of tuples that never come again are forgotten at last.
const MARKS_MAX: usize = 1 << 16;

/// What a tuple is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Mark(u64);

impl Mark {
    /// The mark of a tuple of which a child is told this.
    pub(crate) fn of(told: &[u8]) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(told);
        Self(hasher.finish())
    }
}

/// The suspects of one component. All its tasks share them, as a tuple may come to another one.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// Whether there are any, for those who ask for each tuple.
    any: AtomicBool,
    marks: Mutex<Marks>,
}

/// How often each mark is suspected, in two generations of which the older one is forgotten.
#[derive(Debug, Default)]
struct Marks {
    young: FxHashMap<Mark, u32>,
    old: FxHashMap<Mark, u32>,
}

impl Suspects {
    /// Those of the component that a task belongs to.
    pub(crate) fn of(cx: &Context) -> Arc<Self> {
        let all = cx.shared(Mutex::<BTreeMap<String, Arc<Self>>>::default);
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(cx.component().to_owned()).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tuple was with a child that died.
    pub(crate) fn accuse(&self, mark: Mark) {
        let mut marks = self.lock();
        if marks.young.len() >= MARKS_MAX / 2 {
            marks.old = std::mem::take(&mut marks.young);
        }
        *marks.young.entry(mark).or_default() += 1;
        self.any.store(true, Ordering::Release);
    }

    /// A suspect got past a child.
    pub(crate) fn clear(&self, mark: Mark) {
        let mut marks = self.lock();
        let Marks { young, old } = &mut *marks;
        for generation in [young, old] {
            if let Some(times) = generation.get_mut(&mark) {
                *times -= 1;
                if *times == 0 {
                    generation.remove(&mark);
                }
                break;
            }
        }
        self.any.store(!marks.young.is_empty() || !marks.old.is_empty(), Ordering::Release);
    }

    /// Whether a tuple is to be given alone.
    #[inline]
    pub(crate) fn is_one(&self, mark: Mark) -> bool {
        self.any.load(Ordering::Acquire) && {
            let marks = self.lock();
            marks.young.contains_key(&mark) || marks.old.contains_key(&mark)
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// Against a plain count of each mark.
        fn suspects_are_counted(steps: Vec<(bool, u8)>) -> bool {
            let (suspects, mut counts) = (Suspects::default(), BTreeMap::<u8, u32>::new());
            for (accuses, tuple) in steps {
                let (tuple, mark) = (tuple % 8, Mark::of(&[tuple % 8]));
                let count = counts.entry(tuple).or_default();
                if accuses {
                    suspects.accuse(mark);
                    *count += 1;
                } else {
                    suspects.clear(mark);
                    *count = count.saturating_sub(1);
                }
                for (tuple, count) in &counts {
                    assert_eq!(suspects.is_one(Mark::of(&[*tuple])), *count > 0);
                }
            }
            suspects.any.load(Ordering::Acquire) == counts.values().any(|count| *count > 0)
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let suspects = Suspects::default();
        let mark = |n: usize| Mark::of(&n.to_le_bytes());
        (0..2 * MARKS_MAX).for_each(|n| suspects.accuse(mark(n)));
        let marks = suspects.lock();
        assert!(marks.young.len() + marks.old.len() <= MARKS_MAX);
        drop(marks);
        assert!(suspects.is_one(mark(2 * MARKS_MAX - 1)) && !suspects.is_one(mark(0)));
    }
}
