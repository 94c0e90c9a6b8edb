//! Edges that a task has consumed and that its ledgers do not know of yet.

use std::ops::Range;

use tormenta_dsl::{
    Root,
    engine::{Anchors, Roots},
};

use super::ledger::{FIRST_EDGE, Run};

/// Edges that a task consumed, in the order in which it did.
#[derive(Default)]
pub(crate) struct Consumed {
    edges: Vec<(Root, u64)>,
    /// First edges of trees: the runs before the last, and the last.
    runs: Vec<Run>,
    run: Run,
}

impl Consumed {
    #[inline]
    fn add(&mut self, root: Root, edge: u64) {
        if edge != FIRST_EDGE {
            add(&mut self.edges, root, edge);
        } else if !self.run.extend(root) {
            self.begin_run(root);
        }
    }

    #[cold]
    fn begin_run(&mut self, root: Root) {
        let run = std::mem::replace(&mut self.run, Run { first: root, count: 1 });
        if run.count > 0 {
            self.runs.push(run);
        }
    }

    /// The tuples of a batch from one to before another.
    pub(crate) fn add_batch(&mut self, roots: &Roots, anchors: &[Anchors], tuples: Range<usize>) {
        match roots.run() {
            Some((first, FIRST_EDGE)) if !first.is_many() => {
                let run = Run { first: first.nth_after(tuples.start), count: tuples.len() };
                self.add_run(run);
            }
            Some((Root::NONE, _)) => {}
            _ => {
                for (root, edge) in tuples.map(|index| roots.get(index)) {
                    if root.is_many() {
                        self.add_all(&anchors[root.index()]);
                    } else if !root.is_none() {
                        self.add(root, edge);
                    }
                }
            }
        }
    }

    fn add_run(&mut self, run: Run) {
        if run.first == self.run.first.nth_after(self.run.count) {
            self.run.count += run.count;
        } else if run.count > 0 {
            let run = std::mem::replace(&mut self.run, run);
            self.runs.extend(Some(run).filter(|run| run.count > 0));
        }
    }

    pub(crate) fn add_all<'a>(&mut self, edges: impl IntoIterator<Item = &'a (Root, u64)>) {
        edges.into_iter().for_each(|(root, edge)| self.add(*root, *edge));
    }

    pub(crate) fn take_edges(&mut self) -> impl Iterator<Item = (Root, u64)> {
        self.edges.drain(..)
    }

    pub(crate) fn take_runs(&mut self) -> impl Iterator<Item = Run> {
        self.runs.drain(..).chain(Some(std::mem::take(&mut self.run)).filter(|run| run.count > 0))
    }
}

/// Neighbours of one tree are one entry.
#[inline]
pub(crate) fn add(list: &mut Vec<(Root, u64)>, root: Root, edge: u64) {
    match list.last_mut() {
        Some(last) if last.0 == root => last.1 ^= edge,
        _ => list.push((root, edge)),
    }
}
