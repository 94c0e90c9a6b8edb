//! Every bound of the engine, with its unit in its name.

use std::time::Duration;

/// Tuples that an emitter stages, and that travel together over a link.
pub const BATCH_TUPLES: usize = 512;

/// Tuples that one sending task may have under way to one target task.
pub const LINK_TUPLES_MAX: usize = 4_096;

/// Longest time that tuples should wait in the queue of one task. A task that needs 10 ms for a
/// tuple is given ten of them, not four thousand.
pub const QUEUE_TIME_MAX: Duration = Duration::from_millis(100);

/// Tuples under way to a task of which nothing is known yet.
pub const LINK_TUPLES_FIRST: usize = 64;

/// Tuples that may be under way on one feedback link before its trees fail with `Overflow`.
pub const FEEDBACK_TUPLES_MAX: usize = 16 * LINK_TUPLES_MAX;

/// Batches that a link keeps for reuse.
pub const RECYCLED_BATCHES: usize = 64;

/// Acks that are sent at once, unless the task is about to wait and sends what it has.
pub const ACK_BATCH: usize = 256;

/// Batches that a loop works on before it lets its neighbours on the core run.
pub const BATCHES_PER_TURN: usize = 16;

/// How long a core looks for work before it parks, at least and at most; in between, half as long
/// as it was busy. Waking a parked core takes some 50 us.
pub const SPIN: (Duration, Duration) = (Duration::from_micros(20), Duration::from_micros(200));

/// How long a busy core leaves timers and sockets waiting.
pub const DRIVER_INTERVAL: Duration = Duration::from_micros(500);

/// Waits between the restarts of a task whose code panics: the first, and the longest.
pub const RESTART_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(10), Duration::from_secs(5));

/// Length of an epoch: the resolution at which lost tuples are noticed.
pub const EPOCH: Duration = Duration::from_secs(1);

/// Dead letters that are kept in memory for whoever asks.
pub const DEAD_LETTERS_KEPT: usize = 1_000;

/// Errors of execute that one task reports within [`ERROR_INTERVAL`].
pub const ERRORS_PER_INTERVAL: u32 = 5;

/// Interval after which a task reports errors anew.
pub const ERROR_INTERVAL: Duration = Duration::from_secs(10);

/// Reported errors that are kept in memory for whoever asks.
pub const ERRORS_KEPT: usize = 1_000;

const _: () = assert!(BATCH_TUPLES <= LINK_TUPLES_MAX, "a batch must fit a link");
const _: () = assert!(LINK_TUPLES_FIRST <= LINK_TUPLES_MAX, "a first window is a window");
const _: () = assert!(LINK_TUPLES_MAX <= FEEDBACK_TUPLES_MAX, "feedback takes what a link gives");
