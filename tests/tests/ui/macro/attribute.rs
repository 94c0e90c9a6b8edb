// `#[topology_fn]` and `#[tormenta::main]` in wrong places.
#![allow(unused)]

extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

mod artifact {
    use super::*;

    pub struct Args;

    pub fn main(_: &str, _: impl Fn(&mut Topology, Args) -> Result) -> std::process::ExitCode {
        std::process::ExitCode::SUCCESS
    }
}

#[topology_fn]
fn nothing() {}

#[topology_fn]
fn shared(t: &Topology) {}

#[topology_fn(fast)]
async fn awaits(t: &mut Topology) {}

#[topology_fn]
struct Words2;

#[tormenta::main]
fn not_main(t: &mut Topology) {}

mod named {
    use super::*;

    #[tormenta::main(name = "words", fast)]
    fn main(t: &mut Topology) {}
}

mod returns {
    use super::*;

    #[tormenta::main]
    fn main(t: &mut Topology, args: tormenta::artifact::Args, n: usize) -> usize {
        3
    }
}

fn main() {}
