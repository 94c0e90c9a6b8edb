//! The engine: runs a topology on the cores of one machine.
//!
//! # The life of a tuple
//!
//! ```text
//!  spout.next() --> stage --> router picks a task --> lane fills a batch
//!                                                        |
//!               full, or the task is about to wait:      v
//!  same loop:  the next stage is polled inline        fused: no edge ids, no queue
//!  other loop: the batch goes into a mailbox          one edge id a tuple, one credit a tuple
//!                                                        |
//!  bolt.execute(tuple) per tuple; its outputs the same way; its acks straight to the ledger
//! ```
//!
//! | room | what it decides |
//! |---|---|
//! | [`placement`] | which tasks share a loop, which loops share a core |
//! | `acker` | when a tree is complete |
//! | `channel` | how much may be under way between two tasks |
//! | `executor` | what a loop does next |
//! | `drain` | how a topology ends |
//! | [`metrics`] | what happened |
//!
//! What decides is pure: it is given the time and the randomness. So [`LocalCluster`] runs the
//! very same loops in virtual time, and one seed replays a whole run.

mod acker;
pub mod artifact;
mod build;
mod channel;
mod clock;
mod cluster;
mod drain;
mod engine;
mod executor;
#[cfg(feature = "planted-bugs")]
pub mod faults;
mod letter_file;
pub mod limits;
mod local;
mod memory;
pub mod metrics;
pub mod placement;
#[cfg_attr(not(feature = "planted-bugs"), doc(hidden))]
pub mod planted;
mod report;
mod rng;
pub mod testkit;
mod watch;
mod watchdog;

pub use build::Local;
pub use cluster::{LocalCluster, Simulation};
pub use letter_file::DeadLetterFile;
pub use local::{Options, RunError, Running, Stopper, Summary, run, start};
pub use metrics::{Histogram, Metrics};
pub use placement::Placement;
pub use report::{Cause, DeadLetter, OnLetter, Phase, ReportedError};
pub use rng::Rng;
pub use watch::Watch;

/// A topology for this engine.
pub type Topology = tormenta_dsl::Topology<Local>;
