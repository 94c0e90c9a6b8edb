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

/// How long user code may keep its thread without returning or waiting before it is reported,
/// where the task has no `execute_timeout`.
pub const BLOCKED_AFTER: Duration = Duration::from_secs(30);

/// How long user code must have kept its thread to be named to somebody who asks who holds on.
pub const BLOCKED_NAMED_AFTER: Duration = Duration::from_millis(100);

/// Shortest pause between two looks at what the loops are at.
pub const WATCH_PAUSE_MIN: Duration = Duration::from_millis(10);

/// Time for one tuple from which on each of them is stamped, so that it is known how long the
/// present one has taken. A stamp takes some 25 ns.
pub const SLOW_TUPLE: Duration = Duration::from_micros(10);

/// How long a spout whose `next` is slow is asked for tuples before they are handed on.
pub const SLOW_FILL: Duration = Duration::from_millis(1);

/// Batches of feedback that a task takes before it takes one of other input that is waiting.
pub const FEEDBACK_IN_A_ROW: usize = 16;

/// How long the capacity of a task looks back, at least; at most twice as long.
pub const CAPACITY_WINDOW: Duration = Duration::from_secs(10);

/// Samples of keys after which the old ones count half.
pub const KEY_SAMPLES: u64 = 65_536;

/// Key groups that the metrics of a component name.
pub const HOT_KEYS_NAMED: usize = 3;

/// Interval after which a task reports errors anew.
pub const ERROR_INTERVAL: Duration = Duration::from_secs(10);

/// Reported errors that are kept in memory for whoever asks.
pub const ERRORS_KEPT: usize = 1_000;

const _: () = assert!(BATCH_TUPLES <= LINK_TUPLES_MAX, "a batch must fit a link");
const _: () = assert!(LINK_TUPLES_FIRST <= LINK_TUPLES_MAX, "a first window is a window");
const _: () = assert!(LINK_TUPLES_MAX <= FEEDBACK_TUPLES_MAX, "feedback takes what a link gives");
