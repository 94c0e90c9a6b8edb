//! Hand-written loops that do what a workload does, with tracking, and nothing else.
//!
//! They are the yardstick of the engine: no topology, no routing, no metrics, no deadlines, no
//! credits; but the same batches, the same XOR of edge ids, the same panic guard around a batch.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]

use std::{
    hint::black_box,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

const BATCH: usize = 256;
/// Trees that may be open, as in the engine.
const PENDING: usize = 65_536;

/// Tuples a second through a loop that calls `stages` functions for each tuple, a batch at a time.
pub(super) fn fused(limit: Duration, stages: usize) -> f64 {
    let start = Instant::now();
    let (mut next, mut sum, mut acked) = (0u64, 0u64, 0u64);
    let mut batch: Vec<(u64, u64)> = Vec::with_capacity(BATCH);
    let mut ids: Vec<u64> = Vec::with_capacity(BATCH);
    let mut stage: Vec<Box<Stage>> = (1..stages).map(|_| Box::new(flip) as Box<Stage>).collect();
    let mut sink: Box<Sink> = Box::new(move |batch| {
        for (_, value) in batch {
            sum = sum.wrapping_add(black_box(*value));
        }
        black_box(sum);
    });
    while start.elapsed() < limit {
        for root in 0..BATCH as u64 {
            next += 1;
            ids.push(next);
            batch.push((root, black_box(next)));
        }
        let worked = catch_unwind(AssertUnwindSafe(|| {
            for stage in &mut stage {
                stage(&mut batch);
            }
            sink(&batch);
        }));
        batch.clear();
        for id in ids.drain(..) {
            acked = acked.wrapping_add(black_box(id));
        }
        if worked.is_err() {
            return 0.0;
        }
    }
    black_box(acked);
    next as f64 / start.elapsed().as_secs_f64()
}

type Stage = dyn FnMut(&mut Vec<(u64, u64)>);
type Sink = dyn FnMut(&[(u64, u64)]);

fn flip(batch: &mut Vec<(u64, u64)>) {
    for (_, value) in batch {
        *value = black_box(*value ^ 1);
    }
}

/// One tuple between two threads: root, edge, value.
type Envelope = (u64, u64, u64);

/// Tuples a second from one thread to another, every one tracked by XOR in a slab.
pub(super) fn handover(limit: Duration) -> f64 {
    let (to_sink, from_source) = flume::bounded::<Vec<Envelope>>(64);
    let (to_pool, pool) = flume::bounded::<Vec<Envelope>>(128);
    let (to_ledger, acks) = flume::unbounded::<Vec<(u64, u64)>>();
    let sink = std::thread::spawn(move || {
        let mut sum = 0u64;
        while let Ok(mut batch) = from_source.recv() {
            let ack = |(root, edge, value): Envelope| {
                sum = sum.wrapping_add(black_box(value));
                (root, edge)
            };
            let acked: Vec<(u64, u64)> = batch.drain(..).map(ack).collect();
            let _ = to_pool.try_send(batch);
            let _ = to_ledger.send(acked);
        }
        black_box(sum);
    });
    let mut source = Source::new();
    let start = Instant::now();
    while start.elapsed() < limit {
        while let Ok(batch) = acks.try_recv() {
            source.ack(&batch);
        }
        if source.free.len() < BATCH {
            if let Ok(batch) = acks.recv() {
                source.ack(&batch);
            }
            continue;
        }
        let batch = pool.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
        if to_sink.send(source.fill(batch)).is_err() {
            return 0.0;
        }
    }
    drop(to_sink);
    let _ = sink.join();
    source.next as f64 / start.elapsed().as_secs_f64()
}

/// Open trees by slot, with the generation of the slot in the upper half of the root.
struct Source {
    next: u64,
    seed: u64,
    values: Vec<u64>,
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl Source {
    fn new() -> Self {
        Self {
            next: 0,
            seed: 1,
            values: vec![0; PENDING],
            generations: vec![1; PENDING],
            free: (0..PENDING as u32).collect(),
        }
    }

    fn fill(&mut self, mut batch: Vec<Envelope>) -> Vec<Envelope> {
        for _ in 0..BATCH {
            let Some(slot) = self.free.pop() else { break };
            // xorshift64, Marsaglia 2003
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 7;
            self.seed ^= self.seed << 17;
            self.values[slot as usize] = self.seed;
            let root = u64::from(self.generations[slot as usize]) << 32 | u64::from(slot);
            self.next += 1;
            batch.push((root, self.seed, self.next));
        }
        batch
    }

    fn ack(&mut self, acks: &[(u64, u64)]) {
        for (root, xor) in acks {
            let slot = *root as u32;
            if self.generations[slot as usize] != (root >> 32) as u32 {
                continue;
            }
            self.values[slot as usize] ^= xor;
            if self.values[slot as usize] == 0 {
                self.generations[slot as usize] += 1;
                self.free.push(slot);
            }
        }
    }
}
