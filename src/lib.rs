//! [guide-bolts]: guide::bolts
//! [guide-spouts]: guide::spouts
//! [guide-topologies]: guide::topologies
//! [guide-guarantees]: guide::guarantees
//! [guide-testing]: guide::testing
//! [guide-windows]: guide::windows
//! [guide-languages]: guide::other_languages
//! [guide-declared]: guide::declared_topologies
#![doc = include_str!("../README.md")]

// The first definition of a link wins: in files the links lead to files, here to these modules.

pub use tormenta_dsl::*;
pub use tormenta_runtime::{
    Cause, DeadLetter, DeadLetterFile, Histogram, Local, LocalCluster, Metrics, Options, Phase,
    Placement, ReportedError, RunError, Running, Simulation, Stopper, Summary, Topology, Watch,
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

/// Spouts and bolts in other languages.
pub mod multilang {
    pub use tormenta_multilang::*;
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

/// The guide, chapter by chapter.
pub mod guide {
    /// [topologies.md]: crate::guide::topologies
    #[doc = include_str!("../docs/guide/bolts.md")]
    pub mod bolts {}

    /// [bolts.md]: crate::guide::bolts
    /// [guarantees.md]: crate::guide::guarantees
    #[doc = include_str!("../docs/guide/spouts.md")]
    pub mod spouts {}

    /// [spouts.md]: crate::guide::spouts
    #[doc = include_str!("../docs/guide/topologies.md")]
    pub mod topologies {}

    #[doc = include_str!("../docs/guide/guarantees.md")]
    pub mod guarantees {}

    #[doc = include_str!("../docs/guide/windows.md")]
    pub mod windows {}

    /// [bench]: https://github.com/tormenta-rs/tormenta/blob/main/docs/benchmarks.md
    #[doc = include_str!("../docs/guide/other-languages.md")]
    pub mod other_languages {}

    #[doc = include_str!("../docs/guide/testing.md")]
    pub mod testing {}

    #[doc = include_str!("../docs/guide/fraud.md")]
    pub mod fraud {}

    /// [bolts.md]: crate::guide::bolts
    #[doc = include_str!("../docs/guide/declared-topologies.md")]
    pub mod declared_topologies {}
}
