//! The dataflows. timely tracks progress by time stamp; all tuples here carry the same one.

use std::collections::BTreeMap;
use std::convert::identity;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use peer_kit::events::{self, EVENTS_PER_MS, Share, WINDOW_MS};
use peer_kit::{Numbers, Sum, sentences::sentences};
use rustc_hash::{FxHashMap, FxHasher};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange as ByHash, Pipeline};
use timely::dataflow::operators::generic::operator::{Operator, source};
use timely::dataflow::operators::{Capability, Exchange, vec::Map};
use timely::dataflow::{Scope, StreamVec};

/// Numbers that a source emits each time it is scheduled: eight of timely's buffers.
const CHUNK: u64 = 8192;

type Stream<'s, T> = StreamVec<'s, u64, T>;
/// Key, start, count.
type Window = (u64, u64, u64);
type Windows = CapacityContainerBuilder<Vec<Window>>;

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

/// W4: source, count by key and second, sink. The time stamp is the event time.
pub fn windows(scope: Scope<'_, u64>, time: Duration, share: Share) {
    let counted = events(scope, time, share).unary_frontier::<Windows, _, _, _>(
        ByHash::new(|(key, _): &(u64, u64)| *key),
        "window",
        |_, _| {
            // By the end of the window: the right to emit then, and the counts.
            let mut open: BTreeMap<u64, (Capability<u64>, FxHashMap<u64, u64>)> = BTreeMap::new();
            move |(input, frontier), output| {
                input.for_each(|capability, events| {
                    for (key, time) in events.drain(..) {
                        let end = (time / WINDOW_MS + 1) * WINDOW_MS;
                        let window = open.entry(end).or_insert_with(|| {
                            (capability.delayed(&end, 0), FxHashMap::default())
                        });
                        *window.1.entry(key).or_default() += 1;
                    }
                });
                while let Some(window) = open.first_entry() {
                    if frontier.less_than(window.key()) {
                        break;
                    }
                    let (end, (capability, counts)) = window.remove_entry();
                    let counts = counts.into_iter().map(|(key, n)| (key, end - WINDOW_MS, n));
                    output.session(&capability).give_iterator(counts);
                }
            }
        },
    );
    let mut sum = Sum::default();
    counted.sink(Pipeline, "sum", move |(input, _)| {
        input.for_each(|_, windows: &mut Vec<Window>| {
            windows.drain(..).for_each(|(key, start, n)| sum.take_window(key, start, n));
        });
    });
}

/// Key and time; the capability follows the time by milliseconds.
fn events(scope: Scope<'_, u64>, time: Duration, share: Share) -> Stream<'_, (u64, u64)> {
    source(scope, "events", move |capability, info| {
        let again = scope.activator_for(info.address);
        let mut numbers = Numbers::counting_for(time, CHUNK).of(share);
        let mut capability = Some(capability);
        move |output| {
            let Some(held) = &mut capability else { return };
            let Some(chunk) = numbers.chunk() else {
                capability = None;
                return;
            };
            let mut at = chunk.start;
            while at < chunk.end {
                let now = events::time(share.event(at));
                let next = ((now + 1) * EVENTS_PER_MS - share.index).div_ceil(share.sources);
                let end = next.min(chunk.end);
                held.downgrade(&now);
                let event = |n| (events::key(share.event(n)), now);
                output.session(held).give_iterator((at..end).map(event));
                at = end;
            }
            again.activate();
        }
    })
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
