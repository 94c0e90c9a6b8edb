#![doc = include_str!("../README.md")]

pub use tormenta_dsl::*;
pub use tormenta_runtime::{
    DeadLetter, Histogram, Local, LocalCluster, Metrics, Options, Placement, ReportedError,
    RunError, Running, Simulation, Stopper, Summary, Topology, Watch,
    artifact::{self, Args},
    limits, metrics, run, start, testkit,
};

/// Where tuples come from.
pub mod spouts {
    pub use tormenta_spouts::*;
}

/// Where tuples are worked on and where they end.
pub mod bolts {
    pub use tormenta_bolts::*;
}

/// The names that most programs want.
pub mod prelude {
    pub use crate::{
        Bolt, Context, Emitter, Error, Failure, Free, Keyed, Result, Retry, Spout, Stores, Stream,
        Streams, Ticket, Topology, Tuple,
    };
    pub use bytes::Bytes;
    pub use serde::{Deserialize, Serialize};
}
