//! What `tormenta demo word-count` says about what it did.

use std::{
    cmp::Reverse,
    fmt::{self, Display},
    path::Path,
};

use serde::Serialize;
use tormenta::artifact::{Attended, Ended};

use crate::{
    output::{self, grouped, time},
    word_count::Words,
};

/// Words that are printed.
const TOP: usize = 20;

/// The summary. Its fields are a contract.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// Lines that were read.
    pub(super) lines: u64,
    pub(super) words: u64,
    pub(super) distinct_words: u64,
    pub(super) seconds: f64,
    pub(super) words_per_second: f64,
    /// Lines that were emitted, each attempt by itself.
    pub(super) emitted: u64,
    pub(super) acked: u64,
    pub(super) failed: u64,
    pub(super) replayed: u64,
    pub(super) pending: u64,
    complete_latency_us: Latency,
    /// Whether a signal ended the reading.
    pub(super) interrupted: bool,
    /// Words that reached a counting task.
    #[serde(skip)]
    pub(super) counted: u64,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Told {
    pub(super) fn new(attended: &Attended, words: &Words) -> Self {
        let metrics = &attended.summary.metrics;
        let spout = metrics.component("lines").cloned().unwrap_or_default();
        let seconds = attended.summary.seconds;
        let total = words.iter().map(|word| word.count).sum();
        let latency = &metrics.complete_latency;
        Self {
            lines: spout.emitted - spout.replayed,
            words: total,
            distinct_words: words.len() as u64,
            seconds,
            words_per_second: (total as f64 / seconds.max(1e-9)).round(),
            emitted: spout.emitted,
            acked: spout.acked,
            failed: spout.failed,
            replayed: spout.replayed,
            pending: spout.pending,
            complete_latency_us: Latency { p50: latency.p50, p99: latency.p99, max: latency.max },
            interrupted: attended.ended != Ended::Itself,
            counted: metrics.component("count").map_or(0, |count| count.executed),
        }
    }

    /// The summary for programs: with the file that was written, or else with the top words.
    pub(super) fn json<'a>(&'a self, output: Option<&Path>, words: &Words) -> impl Serialize + 'a {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            told: &'a Told,
            #[serde(skip_serializing_if = "Option::is_none")]
            output: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            top: Option<Vec<(String, u64)>>,
        }
        let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        let top = || top_words(words).map(|(word, count)| (text(word), count)).collect();
        let top = output.is_none().then(top);
        Whole { told: self, output: output.map(|path| path.display().to_string()), top }
    }
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lines, words, distinct, rate, acked] =
            [self.lines, self.words, self.distinct_words, self.words_per_second as u64, self.acked]
                .map(grouped);
        let [p50, p99] = [self.complete_latency_us.p50, self.complete_latency_us.p99].map(time);
        writeln!(
            f,
            "{words} words in {lines} lines, {distinct} distinct, in {:.2} s: {rate} words/s",
            self.seconds
        )?;
        write!(f, "{acked} lines acked, complete latency p50 {p50}, p99 {p99}")
    }
}

/// The words that were seen most, for people.
pub(super) fn top(words: &Words) -> Vec<u8> {
    let mut table = output::Table::new("count", "word");
    top_words(words).for_each(|(word, count)| table.row(count, word));
    table.render()
}

/// The words that were seen most; of those seen equally often, the first ones by byte.
fn top_words(words: &Words) -> impl Iterator<Item = (&[u8], u64)> {
    let mut ranked: Vec<_> = words.iter().collect();
    let rank = |index: usize| index.min(words.len());
    let order = |count: &&tormenta::bolts::WordCount| (Reverse(count.count), count.word.clone());
    if words.len() > TOP {
        ranked.select_nth_unstable_by_key(rank(TOP), order);
        ranked.truncate(TOP);
    }
    ranked.sort_unstable_by_key(order);
    ranked.into_iter().map(|count| (&count.word[..], count.count))
}
