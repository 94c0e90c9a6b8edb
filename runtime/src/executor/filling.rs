//! A batch of a spout, while `next` fills it.

use tormenta_dsl::{Root, Streams, engine::Batch};

use super::spout_trees::Trees;

/// A batch that is being filled. The two vectors are its own meanwhile, so that the loop keeps
/// them in registers; they go back when it ends, by a panic too.
pub(super) struct Filling<'a, O: Streams, Id> {
    trees: &'a mut Trees<O, Id>,
    staged: &'a mut Batch<O>,
    values: Vec<O>,
    ids: Vec<Id>,
    /// Tuples of the batch whose roots are in it already.
    before: usize,
    is_tracked: bool,
    replays: bool,
}

impl<'a, O: Streams, Id> Filling<'a, O, Id> {
    pub(super) fn new(
        trees: &'a mut Trees<O, Id>,
        staged: &'a mut Batch<O>,
        is_tracked: bool,
    ) -> Self {
        let (values, ids) = (std::mem::take(&mut staged.values), trees.take_ids());
        let (before, replays) = (values.len(), is_tracked && trees.replays());
        Self { trees, staged, values, ids, before, is_tracked, replays }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, value: O, id: Id) {
        if self.replays {
            self.trees.keep(value.clone());
        }
        if self.is_tracked {
            self.ids.push(id);
        }
        self.values.push(value);
    }

    /// Adds what the spout has emitted before.
    #[cold]
    pub(super) fn push_replay(&mut self, value: O, id: Id) {
        self.push_roots(false);
        self.push(value, id);
        self.push_roots(true);
    }

    /// Names the trees of what was added since the last call.
    fn push_roots(&mut self, replayed: bool) {
        let filled = self.values.len() - self.before;
        let first = match self.is_tracked {
            true => Root::provisional(self.ids.len() - filled, replayed),
            false => Root::NONE,
        };
        self.staged.roots.push_run(first, filled, 0);
        self.before = self.values.len();
    }
}

impl<O: Streams, Id> Drop for Filling<'_, O, Id> {
    fn drop(&mut self) {
        self.push_roots(false);
        self.staged.values = std::mem::take(&mut self.values);
        self.trees.put_ids(std::mem::take(&mut self.ids));
    }
}
