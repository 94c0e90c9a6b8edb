// `Reading` lacks `derive(Serialize, Deserialize)`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[derive(Tuple, Clone)]
struct Reading {
    volts: f64,
}

#[derive(Clone)]
struct Readings;

impl Spout for Readings {
    type Output = Reading;
    type Id = ();

    async fn next(&mut self) -> Result<Option<(Reading, ())>> {
        Ok(None)
    }
}

#[topology_fn]
fn wrong(t: &mut Topology) {
    t.spout("readings", Readings);
}

fn main() {}
