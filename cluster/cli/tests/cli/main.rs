//! The `tormenta` command, run as its users run it.
//!
//! One binary for all of them, because each would link by itself.

mod bad_input;
mod flow;
mod fraud;
mod fraud_kill;
mod help;
mod kit;
mod new;
mod run;
mod signals;
mod word_count;
