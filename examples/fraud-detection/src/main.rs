//! The topology as an artifact: a program of its own, which a cluster can run as well.
//!
//! ```sh
//! cargo run --release -p tormenta-fraud -- 7
//! ```
//!
//! decides the stream of seed 7 until it is interrupted. `tormenta demo fraud` is the same with
//! options, a ledger and numbers at the end.

use tormenta::{Args, prelude::*};
use tormenta_fraud::{Books, Halt, Input, Job, Limits, Origin, Pace, declare};

#[tormenta::main]
fn main(t: &mut Topology, args: Args) -> Result {
    let seed = args.get(0)?.unwrap_or(1);
    declare(
        t,
        Job {
            origin: Origin::Generated { seed },
            pace: Pace { per_second: Some(5_000.0), ..Pace::default() },
            tasks: 1,
            limits: Limits::default(),
            books: Books::default(),
            input: Input::default(),
            halt: Halt::default(),
        },
    );
    Ok(())
}
