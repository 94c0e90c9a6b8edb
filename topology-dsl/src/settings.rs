//! What the author of a topology may set for one component.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::plan::json;

/// Settings of one component.
///
/// Not built by hand: the methods of [`SpoutHandle`](crate::SpoutHandle) and
/// [`BoltHandle`](crate::BoltHandle) set them. In JSON times are milliseconds: `tick_ms`.
#[derive(Debug, Clone, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Settings {
    /// Number of tasks.
    pub tasks: usize,
    /// Interval between ticks, if the bolt wants them.
    #[serde(rename = "tick_ms", serialize_with = "json::ms_if_any")]
    pub tick: Option<Duration>,
    /// Whether each task has a thread of its own, because its code blocks.
    pub blocking: bool,
    /// How many tuples one task may execute at the same time.
    pub concurrency: Concurrency,
    /// Whether the planner may run the component inside the loop of the one before it.
    pub fuse: bool,
    /// Whether a spout's tuples are tracked at all.
    pub tracked: bool,
    /// Trees that one spout task may have pending.
    pub pending_max: usize,
    /// How failed tuples of a spout, or failed results of a bolt, are replayed by the engine.
    pub retry: Option<Retry>,
    /// Fails a tree that is older than this, whatever its progress. Off unless set.
    #[serde(rename = "message_timeout_ms", serialize_with = "json::ms_if_any")]
    pub message_timeout: Option<Duration>,
    /// Fails a tuple whose execute lasts longer than this, and restarts the task.
    #[serde(rename = "execute_timeout_ms", serialize_with = "json::ms_if_any")]
    pub execute_timeout: Option<Duration>,
    /// Fails a tuple that is held longer than this without a touch. Off unless set.
    #[serde(rename = "hold_timeout_ms", serialize_with = "json::ms_if_any")]
    pub hold_timeout: Option<Duration>,
    /// Settings of the component's own, read through [`Context::config`](crate::Context::config).
    pub config: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tasks: 1,
            tick: None,
            blocking: false,
            concurrency: Concurrency::One,
            fuse: true,
            tracked: true,
            pending_max: 65_536,
            retry: None,
            message_timeout: None,
            execute_timeout: Some(Duration::from_secs(30)),
            hold_timeout: None,
            config: BTreeMap::new(),
        }
    }
}

/// How many tuples one task may execute at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// One after the other.
    #[default]
    One,
    /// Up to this many; outputs leave in the order of their inputs.
    Ordered(usize),
    /// Up to this many; outputs leave as they come.
    Unordered(usize),
}

impl Concurrency {
    /// The number of tuples at the same time.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::One => 1,
            Self::Ordered(n) | Self::Unordered(n) => n,
        }
    }
}

/// How the engine replays the failed tuples of a spout.
///
/// ```
/// use tormenta_dsl::Retry;
///
/// let retry = Retry { attempts_max: 5, ..Retry::default() };
/// assert_eq!(retry.backoff(1).as_millis(), 10);
/// assert_eq!(retry.backoff(3).as_millis(), 40);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// Attempts before the tuple becomes a dead letter, the first one included. At least one.
    pub attempts_max: u32,
    /// Wait before the second attempt; doubles with each further one.
    #[serde(rename = "backoff_min_ms", serialize_with = "json::ms")]
    pub backoff_min: Duration,
    /// Longest wait between two attempts.
    #[serde(rename = "backoff_max_ms", serialize_with = "json::ms")]
    pub backoff_max: Duration,
}

impl Retry {
    /// The wait after the given number of failed attempts.
    #[must_use]
    pub fn backoff(&self, failed: u32) -> Duration {
        let doubled = self.backoff_min.saturating_mul(1 << failed.saturating_sub(1).min(20));
        doubled.min(self.backoff_max)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_secs(10),
        }
    }
}
