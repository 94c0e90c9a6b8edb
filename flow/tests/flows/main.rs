//! Flows, from their text to what they write.

mod kit;
mod mistakes;
mod parts;
mod plans;
mod windows;
