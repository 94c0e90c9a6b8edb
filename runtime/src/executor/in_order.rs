//! What waits until everything that began before it has ended. Pure.

use std::collections::VecDeque;

/// Numbers things that begin, and keeps what waits for them.
pub(super) struct InOrder<T> {
    /// The number of the oldest thing that has not ended, or of the next one.
    oldest: u64,
    /// Whether it has ended: of that thing, and of those after it.
    ended: VecDeque<bool>,
    /// What waits, and the number that nothing it waits for reaches.
    waiting: VecDeque<(u64, T)>,
}

impl<T> InOrder<T> {
    /// Something begins. Returns its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.ended.push_back(false);
        self.next() - 1
    }

    /// Something has ended.
    pub(super) fn end(&mut self, number: u64) {
        let Some(index) = number.checked_sub(self.oldest) else { return };
        if let Some(ended) = self.ended.get_mut(index as usize) {
            *ended = true;
        }
        while self.ended.front() == Some(&true) {
            self.ended.pop_front();
            self.oldest += 1;
        }
    }

    /// This waits for everything that has begun so far.
    pub(super) fn wait(&mut self, waiting: T) {
        self.waiting.push_back((self.next(), waiting));
    }

    /// Something that has nothing left to wait for, in the order in which they came.
    pub(super) fn take(&mut self) -> Option<T> {
        let (before, _) = self.waiting.front()?;
        if *before > self.oldest {
            return None;
        }
        self.waiting.pop_front().map(|(_, waiting)| waiting)
    }

    /// Everything that waits, though what it waits for has not ended.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, waiting)| waiting)
    }

    fn next(&self) -> u64 {
        self.oldest + self.ended.len() as u64
    }
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { oldest: 0, ended: VecDeque::new(), waiting: VecDeque::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn nothing_comes_before_what_it_waits_for(steps: Vec<(u8, usize)>) -> bool {
            let (mut order, mut open) = (InOrder::default(), BTreeSet::new());
            let mut waiting: VecDeque<(usize, BTreeSet<u64>)> = VecDeque::new();
            for (step, (kind, which)) in steps.into_iter().enumerate() {
                match kind % 4 {
                    0 => drop(open.insert(order.begin())),
                    1 => {
                        order.wait(step);
                        waiting.push_back((step, open.clone()));
                    }
                    2 if !open.is_empty() => {
                        let number = *open.iter().nth(which % open.len()).expect("there is one");
                        open.remove(&number);
                        order.end(number);
                    }
                    _ => order.end(which as u64 % 64 + 1_000_000), // of no concern
                }
                while let Some((id, _)) =
                    waiting.pop_front_if(|(_, before)| before.is_disjoint(&open))
                {
                    if order.take() != Some(id) {
                        return false;
                    }
                }
                if order.take().is_some() {
                    return false;
                }
            }
            order.take_all().eq(waiting.into_iter().map(|(id, _)| id))
        }
    }
}
