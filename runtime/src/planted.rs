//! Bugs that can be switched on to see whether the tests find them.
//!
//! Without the feature `planted-bugs` every question is answered `false` at compile time, and
//! nothing of this is left in the program.

/// A bug of the kind that engines like this one have had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "`what` describes them")]
pub enum Bug {
    OneIdForTwoAnchors,
    AckBeforeChildren,
    LostFlush,
    StaleGeneration,
    CreditLeak,
    FailForgotten,
    DropAcks,
    TickLost,
    HoldWithoutEdge,
    PanicAcks,
    RetryForgotten,
    FusedFailureIgnored,
    EpochDropped,
    OverflowSilent,
    WrongLane,
    CreditIgnored,
    Overtaking,
    Miscounted,
    // From here on, bugs that the engine has had.
    GuessedBatch,
    IdleEpoch,
    ReaderMakesStuck,
    OutOfTurn,
    UnboundedRetries,
    LostAtTheEnd,
    StoppedStageAcks,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::OneIdForTwoAnchors,
        Self::AckBeforeChildren,
        Self::LostFlush,
        Self::StaleGeneration,
        Self::CreditLeak,
        Self::FailForgotten,
        Self::DropAcks,
        Self::TickLost,
        Self::HoldWithoutEdge,
        Self::PanicAcks,
        Self::RetryForgotten,
        Self::FusedFailureIgnored,
        Self::EpochDropped,
        Self::OverflowSilent,
        Self::WrongLane,
        Self::CreditIgnored,
        Self::Overtaking,
        Self::Miscounted,
        Self::GuessedBatch,
        Self::IdleEpoch,
        Self::ReaderMakesStuck,
        Self::OutOfTurn,
        Self::UnboundedRetries,
        Self::LostAtTheEnd,
        Self::StoppedStageAcks,
    ];

    /// What the bug does.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::OneIdForTwoAnchors => "a tuple with two anchors uses one edge id for both",
            Self::AckBeforeChildren => "an ack leaves before the edges that grew from it",
            Self::LostFlush => "a task forgets to flush before it waits",
            Self::StaleGeneration => "a late ack is taken for the tree that now has the slot",
            Self::CreditLeak => "consumed tuples give back less credit than they took",
            Self::FailForgotten => "a failed tuple is neither acked nor failed",
            Self::DropAcks => "every 64th batch of acks is dropped",
            Self::TickLost => "a tick that is due while tuples wait is skipped for good",
            Self::HoldWithoutEdge => "a held tuple adds no edge to its tree",
            Self::PanicAcks => "a tuple whose execute panicked is acked",
            Self::RetryForgotten => "a failed tuple that was to be replayed is forgotten",
            Self::FusedFailureIgnored => "a failure inside a fused loop does not reach the spout",
            Self::EpochDropped => "batches forget the epoch of what they carry",
            Self::OverflowSilent => "a full feedback edge drops tuples without failing them",
            Self::WrongLane => "one tuple in a thousand goes to the wrong task of a key",
            Self::CreditIgnored => "batches are sent whether there is credit or not",
            Self::Overtaking => "the tuples of every 50th batch arrive backwards",
            Self::Miscounted => "one tuple of every 64th batch is not counted as executed",
            Self::GuessedBatch => {
                "two tuples of one root get a tree each, if the batch looks right"
            }
            Self::IdleEpoch => "an empty lane keeps an epoch alive, so that nothing counts as lost",
            Self::ReaderMakesStuck => "an execute that waits for its reader counts as stuck",
            Self::OutOfTurn => "outputs of an ordered crew leave before their turn",
            Self::UnboundedRetries => "tuples that wait for a replay take no room",
            Self::LostAtTheEnd => "a topology ends before it has noticed what was lost",
            Self::StoppedStageAcks => "what a stopped stage did not execute is acked",
        }
    }
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    /// Switches a bug on, or all off, for engines that this thread simulates.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
        COUNT.set(0);
    }

    pub(crate) fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    pub(crate) fn nth(bug: Bug, n: u64) -> bool {
        is(bug) && {
            COUNT.set(COUNT.get() + 1);
            COUNT.get().is_multiple_of(n)
        }
    }
}

#[cfg(feature = "planted-bugs")]
pub use switch::plant;
#[cfg(feature = "planted-bugs")]
pub(crate) use switch::{is, nth};

#[cfg(not(feature = "planted-bugs"))]
#[inline(always)]
pub(crate) const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(not(feature = "planted-bugs"))]
#[inline(always)]
pub(crate) const fn nth(_bug: Bug, _n: u64) -> bool {
    false
}

/// Whether a bug is planted; with a number, whether it strikes this time.
#[macro_export]
#[doc(hidden)]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::is($crate::planted::Bug::$bug)
    };
    ($bug:ident, $n:literal) => {
        $crate::planted::nth($crate::planted::Bug::$bug, $n)
    };
}
