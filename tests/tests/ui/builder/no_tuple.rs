// `Reading` lacks `derive(Tuple)`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[derive(Clone, Serialize, Deserialize)]
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
