//! Proof that something of an age is still under way.

use std::sync::Arc;

/// A capability: whoever holds a clone may still complete trees of this epoch.
///
/// The engine makes one epoch a second. Every batch, every ack batch and every ticket carries a
/// clone of the oldest epoch inside it. When all clones of an epoch and of the ones before it are
/// gone, nothing that is queued, executing, on a link or held can touch a tree that old: whatever
/// is still pending has been *lost*. A slow topology keeps its epochs alive and times nothing out.
///
/// Counting by clones has no race to reason about: whatever moves, moves before it lets go.
#[derive(Clone, Debug)]
pub struct Epoch(Arc<u64>);

impl Epoch {
    /// The epoch with this number. Two calls make two epochs; only clones keep one alive.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(Arc::new(number))
    }

    /// Seconds of engine time at which the epoch began.
    #[must_use]
    pub fn number(&self) -> u64 {
        *self.0
    }

    /// Whether anybody but the caller still holds a clone.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Arc::strong_count(&self.0) > 1
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
    fn the_floor_only_falls() {
        let mut floor = None;
        for number in [5, 7, 2, 9] {
            Epoch::lower(&mut floor, &Epoch::new(number));
        }
        assert_eq!(floor.map(|e| e.number()), Some(2));
    }
}
