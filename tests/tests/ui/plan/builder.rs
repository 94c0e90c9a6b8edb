//! The same mistakes by hand.

use tormenta_dsl::{
    Retry, Topology,
    doc::{Count, In, Keep, NoEngine, Words},
};

pub(super) fn duplicate_name(t: &mut Topology<NoEngine>) {
    let words = t.spout("words", Words);
    for _ in 0..2 {
        t.bolt("count", Count::default(), words.by(|w| &w.word));
    }
}

pub(super) fn reserved_name(t: &mut Topology<NoEngine>) {
    t.spout("__acker", Words);
}

pub(super) fn bad_name(t: &mut Topology<NoEngine>) {
    t.spout("my words", Words);
}

pub(super) fn zero_tasks(t: &mut Topology<NoEngine>) {
    let words = t.spout("words", Words);
    t.bolt("count", Count::default(), words.by(|w| &w.word)).tasks(0);
}

pub(super) fn reads_nothing(t: &mut Topology<NoEngine>) {
    t.spout("words", Words);
    t.bolt("count", Count::default(), []);
}

pub(super) fn other_topology(t: &mut Topology<NoEngine>) {
    let stray = Topology::<NoEngine>::new("other").spout("stray", Words);
    let words = t.spout("words", Words);
    t.bolt("count", Count::default(), [words.by(|w| &w.word), stray.by(|w| &w.word)]);
}

pub(super) fn open_feedback(t: &mut Topology<NoEngine>) {
    let again = t.feedback("again");
    let words = t.spout("words", Words);
    t.bolt("keep", Keep, [words.shuffle().to(In::Word), again.shuffle().to(In::Stop)]);
}

pub(super) fn unread_feedback(t: &mut Topology<NoEngine>) {
    let again = t.feedback("again");
    let words = t.spout("words", Words);
    again.from(&t.bolt("count", Count::default(), words.by(|w| &w.word)));
}

pub(super) fn all_at_once(t: &mut Topology<NoEngine>) {
    t.spout("words", Words).untracked().replaying(Retry::default());
    t.scope("eu", |t| t.spout("words", Words).pending_max(0).named("words"));
    t.bolt("count", Count::default(), []).concurrent(0);
}
