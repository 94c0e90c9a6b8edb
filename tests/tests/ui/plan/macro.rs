//! Mistakes out of the macro's sight: behind a variable, in a loop, in another topology.

use tormenta_dsl::{
    Retry, Topology,
    doc::{Count, In, Keep, NoEngine, Word, Words},
    topology,
};

topology! {
    pub(super) fn duplicate_name(t: &mut Topology<NoEngine>) {
        spout words = Words;
        for _ in 0..2 {
            bolt count = Count::default(), reads: words.by(word);
        }
    }

    pub(super) fn reserved_name(t: &mut Topology<NoEngine>) {
        spout words = Words, named: "__acker";
    }

    pub(super) fn bad_name(t: &mut Topology<NoEngine>) {
        spout words = Words, named: "my words";
    }

    pub(super) fn zero_tasks(t: &mut Topology<NoEngine>) {
        let tasks = 0;
        spout words = Words;
        bolt count = Count::default(), tasks: tasks, reads: words.by(word);
    }

    pub(super) fn reads_nothing(t: &mut Topology<NoEngine>) {
        spout words = Words;
        bolt count = Count::default(), reads: [];
    }

    pub(super) fn other_topology(t: &mut Topology<NoEngine>) {
        let stray = Topology::<NoEngine>::new("other").spout("stray", Words);
        spout words = Words;
        bolt count = Count::default(), reads: [words.by(word), stray.by(word)];
    }

    pub(super) fn open_feedback(t: &mut Topology<NoEngine>) {
        let again = t.feedback::<Word>("again");
        spout words = Words;
        bolt keep = Keep, reads: [words.by(word).to(In::Word), again.by(word).to(In::Stop)];
    }

    pub(super) fn unread_feedback(t: &mut Topology<NoEngine>) {
        let again = t.feedback("again");
        spout words = Words;
        bolt count = Count::default(), reads: words.by(word);
        again.from(&count);
    }

    pub(super) fn all_at_once(t: &mut Topology<NoEngine>) {
        let none = 0;
        spout words = Words, untracked, replaying: Retry::default();
        t.scope("eu", |t| {
            spout words = Words, pending_max: none, named: "words";
        });
        bolt count = Count::default(), concurrent: none, reads: vec![];
    }
}
