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

topology! {
    fn wrong() {
        spout readings = Readings;
    }
}

fn main() {}
