//! What time a tuple has.

use std::{sync::Arc, time::Duration};

use tormenta_dsl::Context;

/// The moment a tuple arrived, in engine time, or what the user's closure reads from it. Both in
/// milliseconds.
pub(crate) enum When<T> {
    Arrival,
    Event(Arc<TimeOf<T>>),
}

type TimeOf<T> = dyn Fn(&T) -> i64 + Send + Sync;

impl<T> When<T> {
    pub(crate) fn event(time: impl Fn(&T) -> i64 + Send + Sync + 'static) -> Self {
        Self::Event(Arc::new(time))
    }

    /// The time of a tuple that arrives now.
    #[inline]
    pub(crate) fn of(&self, tuple: &T, cx: Option<&Context>) -> i64 {
        match self {
            Self::Arrival => cx.map_or(0, now_ms),
            Self::Event(time) => time(tuple),
        }
    }

    /// What time it is, where time does not depend on tuples.
    pub(crate) fn now(&self, cx: Option<&Context>) -> Option<i64> {
        match self {
            Self::Arrival => cx.map(now_ms),
            Self::Event(_) => None,
        }
    }
}

impl<T> Clone for When<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Arrival => Self::Arrival,
            Self::Event(time) => Self::Event(time.clone()),
        }
    }
}

fn now_ms(cx: &Context) -> i64 {
    ms(cx.now())
}

/// Whole milliseconds; what is longer than all of time is as long as that.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
