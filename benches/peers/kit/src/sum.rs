//! The sink of every workload.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::events::weight;

static TUPLES: AtomicU64 = AtomicU64::new(0);
static CHECKSUM: AtomicU64 = AtomicU64::new(0);

/// One sink's tuples and their sum; joins the totals of the process when it is dropped.
///
/// A clone starts at zero, because engines clone the prototype of a sink for each replica.
#[derive(Default)]
pub struct Sum {
    tuples: u64,
    checksum: u64,
}

impl Sum {
    /// Takes one window: a tuple for each event in it.
    #[inline]
    pub fn take_window(&mut self, key: u64, start: u64, count: u64) {
        self.tuples += count;
        self.checksum = self.checksum.wrapping_add(count * weight(key, start));
    }

    /// Takes one tuple.
    #[inline]
    pub fn take(&mut self, value: u64) {
        self.tuples += 1;
        self.checksum = self.checksum.wrapping_add(value);
    }
}

impl Clone for Sum {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Drop for Sum {
    fn drop(&mut self) {
        TUPLES.fetch_add(self.tuples, Relaxed);
        CHECKSUM.fetch_add(self.checksum, Relaxed);
    }
}

/// Tuples and checksum of all sinks; complete once the engine has stopped.
pub(crate) fn totals() -> (u64, u64) {
    (TUPLES.load(Relaxed), CHECKSUM.load(Relaxed))
}
