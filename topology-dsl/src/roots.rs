//! The trees that the tuples of a batch belong to, in as little memory as they need.

use crate::Root;

/// The root of every tuple of a batch, and the edge of its tree that the tuple is.
///
/// Most batches are runs: the spout's tuples have one root after the other, and what a bolt emits
/// for each of them has the same. A run is three words, however long it is, and is neither
/// written nor read tuple by tuple. Where it breaks, there is a list.
///
/// ```
/// use tormenta_dsl::{Root, engine::Roots};
///
/// let mut roots = Roots::new();
/// (0..256).for_each(|n| roots.push(Root::provisional(n, false), 0));
/// assert!(roots.run().is_some());
/// roots.push(Root::NONE, 0);
/// assert!(roots.run().is_none());
/// assert_eq!(roots.get(255), (Root::provisional(255, false), 0));
/// assert_eq!(roots.len(), 257);
/// ```
#[derive(Debug, Clone)]
pub struct Roots {
    first: Root,
    /// The root that makes the run longer; none does if there is no run.
    next: Root,
    step: u64,
    /// The edge of every tuple of the run.
    edge: u64,
    len: usize,
    /// All of them, unless they are a run.
    each: Vec<(Root, u64)>,
}

impl Roots {
    /// No roots.
    #[must_use]
    pub fn new() -> Self {
        Self { first: Root::NONE, next: Root::NEVER, step: 0, edge: 0, len: 0, each: Vec::new() }
    }

    /// Number of tuples.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no tuple.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything but the allocation.
    #[inline]
    pub fn clear(&mut self) {
        self.each.clear();
        self.len = 0;
        self.next = Root::NEVER;
    }

    /// Adds the root and the edge of one more tuple.
    #[inline(always)]
    pub fn push(&mut self, root: Root, edge: u64) {
        if root == self.next && edge == self.edge {
            self.next = root.plus(self.step);
        } else if self.each.is_empty() {
            self.end_run(root, edge);
        } else {
            self.each.push((root, edge));
        }
        self.len += 1;
    }

    /// Begins a run, or a list in the place of one.
    #[inline(never)]
    fn end_run(&mut self, root: Root, edge: u64) {
        if self.len == 0 {
            (self.first, self.edge, self.step) = (root, edge, root.step());
            self.next = root.plus(self.step);
        } else {
            self.list();
            self.each.push((root, edge));
        }
    }

    /// Adds `count` roots that come after one another, beginning with `first`, all with one edge.
    pub fn push_run(&mut self, first: Root, count: usize, edge: u64) {
        if count == 0 {
            return;
        }
        self.push(first, edge);
        if self.each.is_empty() {
            self.next = first.nth_after(count);
            self.len += count - 1;
        } else {
            (1..count).for_each(|n| self.push(first.nth_after(n), edge));
        }
    }

    /// Makes the run a list.
    fn list(&mut self) {
        if self.each.is_empty() {
            let (first, step, edge) = (self.first, self.step, self.edge);
            self.each.extend((0..self.len as u64).map(|n| (first.plus(n * step), edge)));
            self.next = Root::NEVER;
        }
    }

    /// The first root and the edge of all, if these are a run of which every root comes
    /// [after](Root::nth_after) the one before. No tuples are no run.
    #[must_use]
    #[inline]
    pub fn run(&self) -> Option<(Root, u64)> {
        (self.each.is_empty() && self.len > 0).then_some((self.first, self.edge))
    }

    /// Root and edge of tuple `index`.
    ///
    /// # Panics
    /// If there is no such tuple.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> (Root, u64) {
        assert!(index < self.len, "tuple {index} of {}", self.len);
        match self.each.get(index) {
            Some(one) => *one,
            None => (self.first.plus(index as u64 * self.step), self.edge),
        }
    }

    /// Roots and edges, tuple by tuple.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Root, u64)> + ExactSizeIterator {
        (0..self.len).map(|index| self.get(index))
    }

    /// Adds all of `other`, which is empty then.
    pub fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
        } else if other.run().is_some_and(|(first, edge)| first == self.next && edge == self.edge) {
            self.next = other.next;
            self.len += other.len;
        } else {
            other.iter().for_each(|(root, edge)| self.push(root, edge));
        }
        other.clear();
    }

    /// Cuts these off at `at`; returns the rest.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        let mut rest = Self::new();
        (at..self.len).for_each(|index| {
            let (root, edge) = self.get(index);
            rest.push(root, edge);
        });
        self.each.truncate(at);
        if self.each.is_empty() && self.len > at {
            self.next = self.first.plus(at as u64 * self.step);
        }
        self.len = at;
        if at == 0 {
            self.clear();
        }
        rest
    }
}

impl Default for Roots {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    /// Roots of all kinds, so drawn that runs and breaks are both frequent.
    fn drawn(draws: &[u8]) -> Vec<(Root, u64)> {
        let mut roots: Vec<(Root, u64)> = Vec::new();
        for draw in draws {
            let last = roots.last().copied().unwrap_or((Root::tracked(3, 5, 7, false), 1));
            roots.push(match draw % 12 {
                0 => (Root::NONE, 0),
                1 => (Root::provisional(usize::from(*draw), draw % 5 == 0), 0),
                2 => (Root::many(usize::from(*draw), false), 0),
                3 => (Root::tracked(3, usize::from(*draw), 9, false), u64::from(*draw)),
                4 => last,
                _ => (last.0.nth_after(1), last.1),
            });
        }
        roots
    }

    fn collected(drawn: &[(Root, u64)]) -> Roots {
        let mut roots = Roots::new();
        drawn.iter().for_each(|(root, edge)| roots.push(*root, *edge));
        roots
    }

    fn is(roots: &Roots, expected: &[(Root, u64)]) -> bool {
        roots.len() == expected.len() && roots.iter().eq(expected.iter().copied())
    }

    quickcheck! {
        fn what_is_pushed_is_there(draws: Vec<u8>) -> bool {
            is(&collected(&drawn(&draws)), &drawn(&draws))
        }

        fn a_run_is_its_roots(before: Vec<u8>, slot: usize, count: u8, more: Vec<u8>) -> bool {
            let (before, more) = (drawn(&before), drawn(&more));
            let run = (0..count.into()).map(|n| (Root::tracked(3, slot % 9 + n, 7, false), 1));
            let mut roots = collected(&before);
            roots.push_run(Root::tracked(3, slot % 9, 7, false), count.into(), 1);
            more.iter().for_each(|(root, edge)| roots.push(*root, *edge));
            is(&roots, &[before, run.collect(), more].concat())
        }

        fn appended_and_pushed_are_the_same(one: Vec<u8>, other: Vec<u8>, more: Vec<u8>) -> bool {
            let (one, other, more) = (drawn(&one), drawn(&other), drawn(&more));
            let (mut roots, mut added) = (collected(&one), collected(&other));
            roots.append(&mut added);
            more.iter().for_each(|(root, edge)| roots.push(*root, *edge));
            added.is_empty() && is(&roots, &[one, other, more].concat())
        }

        fn what_is_cut_off_is_the_rest(draws: Vec<u8>, at: usize, more: Vec<u8>) -> bool {
            let (all, more) = (drawn(&draws), drawn(&more));
            let at = at % (all.len() + 1);
            let mut roots = collected(&all);
            let rest = roots.split_off(at);
            let is_rest = is(&rest, &all[at..]);
            more.iter().for_each(|(root, edge)| roots.push(*root, *edge));
            is_rest && is(&roots, &[&all[..at], &more].concat())
        }
    }
}
