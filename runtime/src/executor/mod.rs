//! The loops that run components, and the cores that run the loops.
//!
//! ```text
//!   core (thread)
//!   +--------------------------------------------------------------+
//!   |  loop: spout --flush--> stage: bolt --flush--> stage: bolt    |   fused, polled inline
//!   |  loop: mailbox -> bolt --lanes--> mailbox of another loop     |   handed over
//!   +--------------------------------------------------------------+
//! ```
//!
//! A *stage* is one task. A *loop* is a stage that is polled by its core, together with the stages
//! that are fused into it: those are polled inline, when the stage before them flushes.

mod bolt_duties;
mod bolt_execute;
mod bolt_settle;
pub(crate) mod bolt_stage;
pub(crate) mod core;
pub(crate) mod crew;
mod filling;
pub(crate) mod guard;
pub(crate) mod handover;
mod in_order;
pub(crate) mod inlet;
pub(crate) mod inline;
mod kept;
pub(crate) mod panics;
pub(crate) mod results;
pub(crate) mod settle;
pub(crate) mod shared;
pub(crate) mod signal;
mod spout_settle;
pub(crate) mod spout_stage;
pub(crate) mod spout_trees;
pub(crate) mod user_code;
