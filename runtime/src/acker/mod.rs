//! Tuple trees: opening, growing, completing and failing them.
//!
//! ```text
//!  spout task                      other tasks
//!  +--------------------+          +-----------------------------+
//!  | Ledger  <- inbox <-+----------+- Acks: [fails][grown][done]  |
//!  | (values by slot)   |          |   one batch for each owner   |
//!  +--------------------+          +-----------------------------+
//! ```
//!
//! There is no acker to ask and no message that opens a tree: the ledger of a root is beside its
//! spout, and the root says where.

pub(crate) mod acks;
mod block;
pub(crate) mod consumed;
pub(crate) mod ledger;
#[cfg(test)]
mod ledger_test;
