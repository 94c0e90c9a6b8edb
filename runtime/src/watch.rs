//! A look at a running topology, from elsewhere.

use std::time::Duration;

use crate::{Metrics, ReportedError, engine::Handle};

/// Looks at a running topology while somebody else waits for its end, such as for a progress bar.
#[derive(Clone)]
pub struct Watch(Handle);

impl Watch {
    pub(crate) fn new(handle: Handle) -> Self {
        Self(handle)
    }

    /// See [`Running::metrics`](crate::Running::metrics).
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.metrics()
    }

    /// See [`Running::errors`](crate::Running::errors).
    #[must_use]
    pub fn errors(&self) -> Vec<ReportedError> {
        self.0.shared.reports.errors()
    }

    /// Time since the engine was made.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.0.shared.clock.now())
    }

    /// Whether the end took too long, and what was left of it was cut off.
    pub(crate) fn is_cut(&self) -> bool {
        !self.0.shared.reports.cut_off().is_empty()
    }

    /// See [`Running::holders`](crate::Running::holders).
    #[must_use]
    pub fn holders(&self) -> Vec<String> {
        self.0.holders()
    }
}
