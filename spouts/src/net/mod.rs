//! What comes over the network.
//!
//! ```text
//!   sockets --- a thread with a runtime of its own (server.rs) ---> queue --- next() of the tasks
//!               tcp.rs, udp.rs, http.rs                             handoff.rs
//! ```
//!
//! The sockets of a spout are served by one thread, and not by the core that runs the task: a core
//! that is busy with bolts would accept nobody and let deadlines pass. The queue is bounded, and
//! all tasks of the spout take from it. These spouts need real time and real sockets; in a
//! `LocalCluster` tests use a `Feed` in their place.

mod handoff;
#[cfg(feature = "http")]
mod http;
#[cfg(all(test, feature = "http"))]
mod net_test;
#[cfg(feature = "http")]
mod respond;
mod server;
mod tcp;
mod udp;

#[cfg(feature = "http")]
pub use http::{Asked, HttpBodies, Post};
pub use server::Listening;
pub use tcp::TcpLines;
pub use udp::UdpLines;
