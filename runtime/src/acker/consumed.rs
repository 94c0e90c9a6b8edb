//! Edges that a task has consumed and that its ledgers do not know of yet.

use std::ops::Range;

use tormenta_dsl::{
    Grove, Root,
    engine::{Anchors, Roots},
    ticket::Hold,
};

use super::ledger::FIRST_EDGE;

/// Edges that a task consumed.
#[derive(Default)]
pub(crate) struct Consumed {
    pub(crate) edges: Vec<(Root, u64)>,
    /// Trees of which it was the first edge.
    pub(crate) groves: Vec<Grove>,
}

impl Consumed {
    /// The tuples of a batch from one to before another.
    pub(crate) fn add_batch(&mut self, roots: &Roots, anchors: &[Anchors], tuples: Range<usize>) {
        match roots.run() {
            Some((first, FIRST_EDGE)) if !first.is_many() => {
                self.add_run(first.nth_after(tuples.start), tuples.len());
            }
            Some((Root::NONE, _)) => {}
            _ => {
                for (root, edge) in tuples.map(|index| roots.get(index)) {
                    if root.is_many() {
                        self.add_all(&anchors[root.index()]);
                    } else if edge == FIRST_EDGE {
                        Grove::of(root).add_to(&mut self.groves);
                    } else if !root.is_none() {
                        add(&mut self.edges, root, edge);
                    }
                }
            }
        }
    }

    /// Trees that were opened ahead of a use that nobody made of them.
    pub(crate) fn add_opened(&mut self, first: Root, count: usize) {
        self.add_run(first, count);
    }

    /// What was held and is done.
    pub(crate) fn add_hold(&mut self, hold: &Hold) {
        self.add_all(&*hold.edges);
        self.groves.extend(&hold.groves);
    }

    fn add_run(&mut self, first: Root, count: usize) {
        Grove::of_run(first, count).for_each(|grove| grove.add_to(&mut self.groves));
    }

    pub(crate) fn add_all<'a>(&mut self, edges: impl IntoIterator<Item = &'a (Root, u64)>) {
        edges.into_iter().for_each(|(root, edge)| add(&mut self.edges, *root, *edge));
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
