//! The dataflows. timely tracks progress by time stamp; all tuples here carry the same one.

use std::convert::identity;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use peer_kit::{Numbers, Sum, sentences::sentences};
use rustc_hash::{FxHashMap, FxHasher};
use timely::dataflow::channels::pact::{Exchange as ByHash, Pipeline};
use timely::dataflow::operators::generic::operator::{Operator, source};
use timely::dataflow::operators::{Exchange, vec::Map};
use timely::dataflow::{Scope, StreamVec};

/// Numbers that a source emits each time it is scheduled: eight of timely's buffers.
const CHUNK: u64 = 8192;

type Stream<'s, T> = StreamVec<'s, u64, T>;

/// W1: source, sink.
pub fn count_up(scope: Scope<'_, u64>, time: Duration, hand_over: bool) {
    sum(
        exchanged(numbers(scope, time, identity), hand_over),
        identity,
    );
}

/// W2: source, map, sink.
pub fn flip(scope: Scope<'_, u64>, time: Duration, hand_over: bool) {
    let flipped = numbers(scope, time, identity).map_in_place(|n| *n ^= 1);
    sum(exchanged(flipped, hand_over), identity);
}

/// W3: source, split, count by word, sink.
pub fn word_count(scope: Scope<'_, u64>, time: Duration) {
    let text = sentences();
    let words = numbers(scope, time, move |n| text[n as usize % text.len()])
        .flat_map(|sentence: &'static str| sentence.split(' ').map(str::to_owned));
    let counted = words.unary(ByHash::new(hash), "count", |_, _| {
        let mut counts: FxHashMap<String, u64> = FxHashMap::default();
        move |input, output| {
            input.for_each(|capability, words| {
                let mut session = output.session(&capability);
                for word in words.drain(..) {
                    let count = count(&mut counts, &word);
                    session.give((word, count));
                }
            });
        }
    });
    sum(counted, |(_word, count)| count);
}

fn count(counts: &mut FxHashMap<String, u64>, word: &str) -> u64 {
    match counts.get_mut(word) {
        Some(count) => {
            *count += 1;
            *count
        }
        None => {
            counts.insert(word.to_owned(), 1);
            1
        }
    }
}

fn hash(word: &String) -> u64 {
    let mut hasher = FxHasher::default();
    word.hash(&mut hasher);
    hasher.finish()
}

fn numbers<'s, T: 'static>(
    scope: Scope<'s, u64>,
    time: Duration,
    tuple: impl Fn(u64) -> T + 'static,
) -> Stream<'s, T> {
    source(scope, "numbers", |capability, info| {
        let again = scope.activator_for(info.address);
        let mut numbers = Numbers::counting_for(time, CHUNK);
        // Dropping the capability tells the others that no tuple will follow.
        let mut capability = Some(capability);
        move |output| {
            let Some(held) = &capability else { return };
            if let Some(chunk) = numbers.chunk() {
                output.session(held).give_iterator(chunk.map(&tuple));
                again.activate();
            } else {
                capability = None;
            }
        }
    })
}

fn exchanged(stream: Stream<'_, u64>, hand_over: bool) -> Stream<'_, u64> {
    if hand_over {
        stream.exchange(|n| *n)
    } else {
        stream
    }
}

fn sum<T: 'static>(stream: Stream<'_, T>, value: impl Fn(T) -> u64 + 'static) {
    let mut sum = Sum::default();
    stream.sink(Pipeline, "sum", move |(input, _)| {
        input.for_each(|_, tuples| tuples.drain(..).for_each(|tuple| sum.take(value(tuple))));
    });
}
