//! Nanoseconds for one round trip between two spinning threads.
//!
//! Virtual machines move their cores between near (0.1 us) and far (0.5 us) placements, and every
//! figure with a hand-over follows; so the harness runs this before and after each of them.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::Instant;

const ROUNDS: u64 = 200_000;

/// On a cache line of its own, so that each side writes only its own line.
#[repr(align(128))]
struct Ball(AtomicU64);

static PING: Ball = Ball(AtomicU64::new(0));
static PONG: Ball = Ball(AtomicU64::new(0));

fn wait_for(ball: &Ball, round: u64) {
    while ball.0.load(Acquire) != round {
        spin_loop();
    }
}

fn main() {
    let other = thread::spawn(|| {
        for round in 1..=ROUNDS {
            wait_for(&PING, round);
            PONG.0.store(round, Release);
        }
    });
    let start = Instant::now();
    for round in 1..=ROUNDS {
        PING.0.store(round, Release);
        wait_for(&PONG, round);
    }
    println!("{}", start.elapsed().as_nanos() / u128::from(ROUNDS));
    other.join().expect("the other side only spins");
}
