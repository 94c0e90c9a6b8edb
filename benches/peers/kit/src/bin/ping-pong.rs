//! Nanoseconds for one round trip between two spinning threads.
//!
//! Virtual machines move their cores between near (0.1 us) and far (0.5 us) placements, and every
//! figure with a hand-over follows; so the harness runs this before and after each run.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS_PER_GAME: u64 = 1_000;
const TIME: Duration = Duration::from_millis(100);
const OVER: u64 = u64::MAX;

/// On cache lines of its own, so that each side writes only its own.
#[repr(align(128))]
struct Ball(AtomicU64);

static PING: Ball = Ball(AtomicU64::new(0));
static PONG: Ball = Ball(AtomicU64::new(0));

fn main() {
    let other = thread::spawn(play_back);
    let start = Instant::now();
    let mut games = Vec::new();
    // A busy machine interrupts some games; the median says what an undisturbed one takes.
    while games.is_empty() || start.elapsed() < TIME {
        games.push(play(games.len() as u64 * ROUNDS_PER_GAME));
    }
    PING.0.store(OVER, Release);
    games.sort_unstable();
    println!(
        "{}",
        games[games.len() / 2].as_nanos() / u128::from(ROUNDS_PER_GAME)
    );
    other.join().expect("the other side only spins");
}

fn play(rounds_before: u64) -> Duration {
    let start = Instant::now();
    for round in rounds_before + 1..=rounds_before + ROUNDS_PER_GAME {
        PING.0.store(round, Release);
        while PONG.0.load(Acquire) != round {
            spin_loop();
        }
    }
    start.elapsed()
}

fn play_back() {
    let mut last = 0;
    loop {
        match PING.0.load(Acquire) {
            OVER => break,
            round if round == last => spin_loop(),
            round => {
                PONG.0.store(round, Release);
                last = round;
            }
        }
    }
}
