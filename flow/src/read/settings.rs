//! What the engine is told about a component, whatever its type is.

use super::{
    kinds::{Period, Positive},
    params::component,
};

component! {
    /// Settings that every spout has, beside its parameters.
    SpoutSettings: spout "settings", "";

    /// Tasks that its work is dealt over.
    tasks: Positive, or "1", "2";
    /// How often a tuple is tried before it is given up, the first time included; `0` replays
    /// nothing. A copy of each tuple is kept until its tree ends.
    attempts: u64, or "0", "3";
    /// Whether it is told, and counted, what became of its tuples.
    tracked: bool, or "true", "false";
    /// Trees that a task may have pending.
    pending_max: Positive, or "65536", "1000";
    /// Fails a tree that is older than this.
    message_timeout: Option<Period>, optional, "\"30s\"";
    /// A thread for each task: for what blocks.
    blocking: bool, or "false", "true";
    /// Whether the next component may run in the same loop.
    fuse: bool, or "true", "false";
}

component! {
    /// Settings that every bolt has, beside its parameters.
    BoltSettings: bolt "settings", "";

    /// Tasks that its work is dealt over.
    tasks: Positive, or "1", "2";
    /// Time between two ticks; those bolts that need ticks have their own unless it is set.
    tick: Option<Period>, optional, "\"100ms\"";
    /// Fails a tuple that is worked on for longer, and restarts the task.
    execute_timeout: Period, or "\"30s\"", "\"5m\"";
    /// Fails a tuple that is held for longer without a sign of life.
    hold_timeout: Option<Period>, optional, "\"10m\"";
    /// A thread for each task: for what blocks.
    blocking: bool, or "false", "true";
    /// Whether it may run in the loop of the component before it.
    fuse: bool, or "true", "false";
}

/// Settings of a component.
#[derive(Debug, Clone)]
pub(crate) enum Settings {
    Spout(SpoutSettings),
    Bolt(BoltSettings),
}

impl Settings {
    pub(crate) fn tasks(&self) -> usize {
        match self {
            Self::Spout(settings) => settings.tasks.size(),
            Self::Bolt(settings) => settings.tasks.size(),
        }
    }
}
