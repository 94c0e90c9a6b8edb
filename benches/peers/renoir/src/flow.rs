//! The dataflows. Each stage between two hand-overs is one loop over an iterator chain.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use peer_kit::events::{self, Share, WINDOW_MS};
use peer_kit::{Numbers, Sum, sentences::sentences};
use renoir::operator::Operator;
use renoir::operator::window::EventTimeWindow;
use renoir::{BatchMode, Replication, Stream, StreamContext};
use rustc_hash::FxHasher;

/// Numbers between two looks at the clock.
const CHUNK: u64 = 8192;

/// W1: source, sink.
pub fn count_up(context: &StreamContext, time: Duration) {
    sum(numbers(context, time));
}

/// W1 with a hand-over: source, shuffle, sink.
pub fn count_up_shuffled(context: &StreamContext, time: Duration, batches: BatchMode) {
    sum(numbers(context, time).batch_mode(batches).shuffle());
}

/// W2: source, map, sink.
pub fn flip(context: &StreamContext, time: Duration) {
    sum(numbers(context, time).map(|n| n ^ 1));
}

/// W2 with a hand-over: source, map, shuffle, sink.
pub fn flip_shuffled(context: &StreamContext, time: Duration, batches: BatchMode) {
    sum(numbers(context, time)
        .map(|n| n ^ 1)
        .batch_mode(batches)
        .shuffle());
}

/// W3 in one thread: source, split, count by word, sink.
pub fn word_count(context: &StreamContext, time: Duration) {
    count(words(context, time));
}

/// W3 with a hand-over: source, split, words to the thread that owns them, count, sink.
pub fn word_count_shuffled(context: &StreamContext, time: Duration, batches: BatchMode) {
    let words = words(context, time).batch_mode(batches);
    // `group_by` would do the same and clone every word twice.
    count(words.repartition_by(Replication::Unlimited, hash));
}

/// W4: source, count by key and second, sink. `group_by` is a hand-over also with one worker.
pub fn windows(context: &StreamContext, time: Duration, batches: BatchMode) {
    let mut sum = Sum::default();
    context
        .stream_par_iter(move |index, sources| {
            let share = Share { index, sources };
            let numbers = Numbers::counting_for(time, CHUNK).of(share);
            numbers.map(move |n| {
                let event = share.event(n);
                let is_last = events::time(share.event(n + 1)) > events::time(event);
                (events::key(event), events::time(event), is_last)
            })
        })
        .batch_mode(batches)
        // A watermark for each millisecond.
        .add_timestamps(|event| event.1 as i64, |event, time| event.2.then_some(*time))
        .group_by(|event| event.0)
        .window(EventTimeWindow::tumbling(WINDOW_MS as i64))
        .fold(0, |count, _event| *count += 1)
        // The windows of a key begin with its first event, so they are not those of the clock.
        .for_each(move |(key, count)| sum.take_window(key, 0, count));
}

fn numbers(context: &StreamContext, time: Duration) -> Stream<impl Operator<Out = u64> + 'static> {
    context.stream_par_iter(move |_, _| Numbers::counting_for(time, CHUNK))
}

fn words(context: &StreamContext, time: Duration) -> Stream<impl Operator<Out = String> + 'static> {
    let text = sentences();
    numbers(context, time)
        .map(move |n| text[n as usize % text.len()])
        .flat_map(|sentence| sentence.split(' ').map(str::to_owned))
}

fn count(words: Stream<impl Operator<Out = String> + 'static>) {
    let mut count = 0;
    let mut sum = Sum::default();
    words
        .map(|word| (word, ()))
        .to_keyed()
        .rich_map(move |_| {
            count += 1; // one copy of this closure for each word
            count
        })
        .for_each(move |(_word, count)| sum.take(count));
}

fn sum(stream: Stream<impl Operator<Out = u64> + 'static>) {
    let mut sum = Sum::default();
    stream.for_each(move |n| sum.take(n));
}

fn hash(word: &String) -> u64 {
    let mut hasher = FxHasher::default();
    word.hash(&mut hasher);
    hasher.finish()
}
