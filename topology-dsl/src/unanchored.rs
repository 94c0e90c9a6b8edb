//! What rustc says of an `emit` inside `tick` or `finish`.
//!
//! An [`Emitter`] without a current tuple has no `emit`. That alone would read "no method named
//! `emit`", so it has one that nobody can call: its bound, which nothing meets, tells what to do.

use std::future::{Ready, ready};

use crate::{Emitter, Free, Result, Streams, Ticket};

/// Met by nothing.
#[diagnostic::on_unimplemented(
    message = "in `tick` and `finish` there is no tuple to anchor to",
    label = "there is no current tuple here",
    note = "name the tuples with `emit_for(&tickets, value)`, or say that there are none with \
            `emit_free(value)`; tickets come from `hold` in `execute`"
)]
pub trait CurrentTuple {}

#[doc(hidden)]
impl<O: Streams> Emitter<O, Free> {
    /// Cannot be called: there is nothing to anchor to.
    pub fn emit(&self, _value: O) -> Ready<Result>
    where
        O: CurrentTuple,
    {
        ready(Ok(()))
    }

    /// Cannot be called: there is nothing to anchor to.
    pub fn emit_direct(&self, _task: usize, _value: O) -> Ready<Result>
    where
        O: CurrentTuple,
    {
        ready(Ok(()))
    }

    /// Cannot be called: there is nothing to hold.
    pub fn hold(&self) -> Ticket<O>
    where
        O: CurrentTuple,
    {
        unreachable!("no type has a current tuple")
    }
}
