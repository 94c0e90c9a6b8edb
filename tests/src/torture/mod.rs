//! Seeded worlds: whole topologies that are drawn, tortured and judged.
//!
//! ```text
//!  seed --draw--> Spec --shape--> the tree that every root must have
//!                  |                         |
//!                build                     oracles <-- World: what spouts and bolts saw
//!                  v                         ^
//!            LocalCluster ----- drive -------+
//! ```
//!
//! Everything that happens follows from the seed, so a number is a bug report. What the spouts and
//! bolts of a world do is decided by [`spec`] and by one random generator in [`world`]; what they
//! see goes to the oracles of [`crate::oracle`] at once, while it happens.

mod build;
mod children;
mod coverage;
mod draw;
mod draw_links;
mod drive;
pub(crate) mod item;
mod report;
pub(crate) mod shape;
mod source;
pub(crate) mod spec;
mod tickets;
mod worker;
pub(crate) mod world;

pub use drive::{describe, torture, torture_and_tell};
pub use report::{Report, Totals, bug_named, bug_table};
