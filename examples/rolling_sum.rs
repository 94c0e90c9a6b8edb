//! Sums what came in since the last tick, and acks it only when the sum was handed on.
//!
//! Shows tickets: the numbers stay open while the bolt holds them. If the bolt panics between two
//! ticks they fail, and with `replaying` they come again.
//!
//! ```sh
//! cargo run --release --example rolling_sum
//! ```

use std::time::Duration;

use tormenta::{bolts::Print, prelude::*, spouts::Sequence, topology};

/// A sum, and how many numbers went into it.
#[derive(Tuple, Clone, Serialize, Deserialize)]
struct Sum {
    sum: u64,
    numbers: u64,
}

/// Holds numbers until the next tick.
#[derive(Default)]
struct RollingSum {
    sum: u64,
    held: Vec<Ticket<Sum>>,
}

/// Every task starts with nothing: tickets are not copied.
impl Clone for RollingSum {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl RollingSum {
    async fn hand_on(&mut self, out: &Emitter<Sum, Free>) -> Result {
        if self.held.is_empty() {
            return Ok(());
        }
        let sum = Sum { sum: std::mem::take(&mut self.sum), numbers: self.held.len() as u64 };
        out.emit_for(&self.held, sum).await?; // anchored to every number in it
        self.held.drain(..).for_each(Ticket::ack);
        Ok(())
    }
}

impl Bolt for RollingSum {
    type Input = u64;
    type Output = Sum;

    async fn execute(&mut self, number: u64, out: &Emitter<Sum>) -> Result {
        self.sum += number;
        self.held.push(out.hold());
        Ok(())
    }

    async fn tick(&mut self, out: &Emitter<Sum, Free>) -> Result {
        self.hand_on(out).await
    }

    async fn finish(&mut self, out: &Emitter<Sum, Free>) -> Result {
        self.hand_on(out).await
    }
}

topology! {
    /// A thousand numbers a second for three seconds, summed five times a second.
    fn rolling_sum() {
        spout numbers = Sequence::up_to(3_000).rate(1_000.0);
        bolt  sums    = RollingSum::default(), tick: Duration::from_millis(200),
                        reads: numbers.shuffle();
        bolt  print   = Print::new(), reads: sums.global();
    }
}

#[tormenta::main]
fn main(t: &mut Topology) {
    rolling_sum(t);
}
