//! Proof that something of an age is still under way.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A capability: whoever holds a clone may still complete trees of this epoch.
///
/// The engine makes one epoch a second. Every batch, every ack batch and every ticket carries a
/// clone of the oldest epoch inside it. When all clones of an epoch and of the ones before it are
/// gone, nothing that is queued, executing, on a link or held can touch a tree that old: whatever
/// is still pending has been *lost*. A slow topology keeps its epochs alive and times nothing out.
///
/// Counting by clones has no race to reason about: whatever moves, moves before it lets go.
///
/// Held tuples that wait for [results](crate::Emitter::emit_result) keep their epoch alive for the
/// spouts that they came from. But the results must not be kept alive by those who wait for them,
/// so such a clone is *parked* at the position of its task in the topology.
#[derive(Clone, Debug)]
pub struct Epoch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    number: u64,
    /// Where clones are parked, and how many: very many may wait at a few positions.
    parked: Mutex<BTreeMap<usize, usize>>,
}

impl Epoch {
    /// The epoch with this number. Two calls make two epochs; only clones keep one alive.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(Arc::new(Shared { number, parked: Mutex::default() }))
    }

    /// Seconds of engine time at which the epoch began.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Whether anybody but the caller still holds a clone.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether anybody but the caller holds a clone that is not parked at this position or before.
    #[must_use]
    pub fn is_alive_beyond(&self, position: usize) -> bool {
        // Who is parked stays so while the clones are counted.
        let parked = self.parked();
        let before: usize = parked.range(..=position).map(|(_, clones)| clones).sum();
        Arc::strong_count(&self.0) > 1 + before
    }

    /// Parks this clone.
    pub(crate) fn park(&self, position: usize) {
        *self.parked().entry(position).or_default() += 1;
    }

    /// The clone that was parked here goes on.
    pub(crate) fn unpark(&self, position: usize) {
        if let Some(clones) = self.parked().get_mut(&position) {
            *clones = clones.saturating_sub(1);
        }
    }

    fn parked(&self) -> MutexGuard<'_, BTreeMap<usize, usize>> {
        self.0.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `floor` hold the older of the two.
    pub fn lower(floor: &mut Option<Epoch>, other: &Epoch) {
        match floor {
            Some(epoch) if epoch.number() <= other.number() => {}
            _ => *floor = Some(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_lives_as_long_as_its_clones() {
        let epoch = Epoch::new(3);
        assert!(!epoch.is_alive());
        let clone = epoch.clone();
        assert!(epoch.is_alive());
        drop(clone);
        assert!(!epoch.is_alive());
    }

    #[test]
    fn a_parked_clone_counts_for_those_before_it() {
        let epoch = Epoch::new(3);
        let (parked, clone) = (epoch.clone(), epoch.clone());
        parked.park(2);
        assert!(epoch.is_alive_beyond(2), "another clone");
        drop(clone);
        assert!(epoch.is_alive() && epoch.is_alive_beyond(1));
        assert!(!epoch.is_alive_beyond(2) && !epoch.is_alive_beyond(3));
        parked.unpark(2);
        assert!(epoch.is_alive_beyond(3));
    }

    #[test]
    fn the_floor_only_falls() {
        let mut floor = None;
        for number in [5, 7, 2, 9] {
            Epoch::lower(&mut floor, &Epoch::new(number));
        }
        assert_eq!(floor.map(|e| e.number()), Some(2));
    }
}
