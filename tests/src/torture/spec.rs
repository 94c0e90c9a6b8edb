//! What a seed decided: the topology, its settings, and what will go wrong.

use std::time::Duration;

use tormenta_dsl::{Concurrency, Retry, grouping::Kind};

/// One tortured topology.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    pub(crate) cores: usize,
    pub(crate) fuse: bool,
    pub(crate) batch_tuples: usize,
    pub(crate) drain_timeout: Duration,
    /// Spouts first; every edge but feedback leads forward.
    pub(crate) components: Vec<Component>,
    pub(crate) links: Vec<Link>,
    pub(crate) faults: Faults,
    pub(crate) actions: Vec<(u32, Action)>,
}

/// Groups of roots whose trees have the same shape.
pub(crate) const CLASSES: usize = 4;

/// Ports that a component may have at most, and tuples that it emits on one for each input.
pub(crate) const PORTS: usize = 2;
pub(crate) const FAN: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) role: Role,
    pub(crate) tasks: usize,
    pub(crate) ports: usize,
    pub(crate) fuse: bool,
    pub(crate) blocking: bool,
    /// Tuples emitted for each input, by class and port.
    pub(crate) fan: [[u8; PORTS]; CLASSES],
    /// How often a tuple may go round, by class, where port 1 is fed back.
    pub(crate) hops: [u8; CLASSES],
}

#[derive(Debug, Clone)]
pub(crate) enum Role {
    Source(SourceSpec),
    Worker(WorkerSpec),
}

#[derive(Debug, Clone)]
pub(crate) struct SourceSpec {
    /// Roots of all its tasks: the first, and how many.
    pub(crate) first: u32,
    pub(crate) roots: u32,
    pub(crate) tracked: bool,
    pub(crate) retry: Option<Retry>,
    pub(crate) pending_max: usize,
    pub(crate) message_timeout: Option<Duration>,
    /// Waits before one root in so many; never with 0.
    pub(crate) pauses: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct WorkerSpec {
    pub(crate) concurrency: Concurrency,
    pub(crate) tick: Option<Duration>,
    pub(crate) execute_timeout: Option<Duration>,
    pub(crate) hold_timeout: Option<Duration>,
    pub(crate) work: Work,
    /// Waits inside one execute in so many, for up to so long.
    pub(crate) naps: Option<(usize, Duration)>,
    /// The input is one stream as it is, without a constructor.
    pub(crate) plain_input: bool,
}

/// What a bolt does with its tuples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Emits and returns.
    Plain,
    /// Holds, emits for its own ticket and acks it inside the same execute.
    HoldWithin,
    /// Keeps tickets; settles them in ticks, in later executes and in `finish`.
    Hold { keep: usize },
}

#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) source: usize,
    pub(crate) port: usize,
    pub(crate) target: usize,
    pub(crate) slot: usize,
    pub(crate) grouping: Kind,
    pub(crate) feedback: bool,
}

/// What goes wrong; nothing in a third of the seeds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// One tuple in so many, by kind of fault; 0 is never.
    pub(crate) rates: [usize; Fault::COUNT],
    /// Tuples that may be under way on a feedback edge; 0 for the engine's own limit.
    pub(crate) feedback_max: usize,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Error,
    Poison,
    Panic,
    Stall,
    DroppedTicket,
    RefusedTicket,
    ForgottenTicket,
    LostBatch,
    SpoutPanic,
    MessageTimeout,
    Overflow,
    Cut,
}

impl Fault {
    pub(crate) const COUNT: usize = 12;

    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Error,
        Self::Poison,
        Self::Panic,
        Self::Stall,
        Self::DroppedTicket,
        Self::RefusedTicket,
        Self::ForgottenTicket,
        Self::LostBatch,
        Self::SpoutPanic,
        Self::MessageTimeout,
        Self::Overflow,
        Self::Cut,
    ];

    pub(crate) fn bit(self) -> u16 {
        1 << self as u16
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Poison => "poison",
            Self::Panic => "panic",
            Self::Stall => "stall",
            Self::DroppedTicket => "dropped ticket",
            Self::RefusedTicket => "failed ticket",
            Self::ForgottenTicket => "forgotten ticket",
            Self::LostBatch => "lost batch",
            Self::SpoutPanic => "spout panic",
            Self::MessageTimeout => "message timeout",
            Self::Overflow => "feedback overflow",
            Self::Cut => "cut",
        }
    }
}

impl Faults {
    pub(crate) fn rate(&self, fault: Fault) -> usize {
        self.rates[fault as usize]
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.rate(fault) > 0
    }

    pub(crate) fn none(&self) -> bool {
        self.rates.iter().all(|rate| *rate == 0)
    }
}

/// Something that the operator does once so many roots have been emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Deactivate,
    Activate,
    Drain,
}

impl Spec {
    pub(crate) fn source(&self, component: usize) -> &SourceSpec {
        match &self.components[component].role {
            Role::Source(source) => source,
            Role::Worker(_) => unreachable!("component {component} is a bolt"),
        }
    }

    pub(crate) fn worker(&self, component: usize) -> &WorkerSpec {
        match &self.components[component].role {
            Role::Worker(worker) => worker,
            Role::Source(_) => unreachable!("component {component} is a spout"),
        }
    }

    pub(crate) fn is_source(&self, component: usize) -> bool {
        matches!(self.components[component].role, Role::Source(_))
    }

    /// Number of spouts.
    pub(crate) fn sources(&self) -> usize {
        (0..self.components.len()).filter(|c| self.is_source(*c)).count()
    }

    /// Roots of all spouts.
    pub(crate) fn roots(&self) -> u32 {
        (0..self.sources()).map(|c| self.source(c).roots).sum()
    }

    /// The link that a component reads through a slot.
    pub(crate) fn link(&self, target: usize, slot: usize) -> Option<usize> {
        self.links.iter().position(|link| link.target == target && link.slot == slot)
    }
}
