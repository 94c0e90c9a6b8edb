//! Flows, from their text to what they write.

mod examples;
mod kit;
mod mistakes;
mod own;
mod parts;
mod plans;
mod shapes;
mod windows;
