//! What pending trees cost. In a process of its own, which it measures.

use std::sync::mpsc;

use tormenta::{Options, Topology, bolts::func, prelude::*, spouts::Sequence};

/// Memory of this process that is in use, in bytes.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    let kib = line.split_ascii_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok());
    1024 * kib.expect("a number")
}

/// Joins a thousand tuples into one, so that a ticket costs next to nothing for each tree.
#[derive(Default)]
struct Join(Vec<Ticket<u64>>);

impl Clone for Join {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Bolt for Join {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.0.push(out.hold());
        if self.0.len() == 1000 {
            out.emit_for(&self.0, n).await?;
            self.0.drain(..).for_each(Ticket::ack);
        }
        Ok(())
    }
}

#[test]
fn a_million_pending_trees_fit_into_100_mib() {
    const TREES: u64 = 1_000_000;
    let (hold, held) = mpsc::channel();
    let mut t = Topology::new("pending");
    let numbers = t.spout("numbers", Sequence::up_to(TREES)).pending_max(TREES as usize);
    let joint = t.bolt("join", Join::default(), numbers.by(|n| n));
    let sink = func(async move |_: u64, out: &Emitter<()>| {
        hold.send(out.hold())?;
        Ok(())
    });
    let _ = t.bolt("hold", sink, joint.shuffle());
    let before = resident_bytes();
    let running = tormenta::start(t, Options::default()).expect("a sound topology");
    let tickets: Vec<Ticket<()>> = held.iter().take(TREES as usize / 1000).collect();
    while running.metrics().components[0].pending < TREES {
        std::thread::yield_now();
    }
    let used = resident_bytes().saturating_sub(before);
    assert!(used <= 100 << 20, "{} MiB for a million pending trees", used >> 20);
    tickets.into_iter().for_each(Ticket::ack);
    assert_eq!(running.wait().metrics.components[0].acked, TREES);
}
