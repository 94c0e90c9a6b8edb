//! Wrong programs, and what is said about them.
//!
//! A mistake is reported where it was made, in words that name both sides of it: by rustc where
//! types can tell, by `topology!` in its own syntax, and by `Topology::plan` where only the whole
//! topology can. Each mistake is made twice, with the macro and with the builder: the same name
//! in `ui/macro` and `ui/builder` for compile errors, one row of [`PLANS`] for plan errors.
//!
//! |    | mistake                                    | `topology!`         | builder            |
//! |----|--------------------------------------------|---------------------|--------------------|
//! |  1 | an edge of the wrong type                  | `edge_type`         | `edge_type`        |
//! |  2 | a key field that the tuple lacks           | `unknown_field`     | `unknown_field`    |
//! |  3 | a stream that the component lacks          | `unknown_port`      | `unknown_port`     |
//! |  4 | a source that does not exist               | `unknown_name`      | `unknown_name`     |
//! |  5 | two components of one name                 | `duplicate_name`    | plan               |
//! |  6 | a name of the engine's                     | `reserved_name`     | plan               |
//! |  7 | no tasks                                   | `zero_tasks`        | plan               |
//! |  8 | a bolt that reads nothing                  | `reads_nothing`     | `reads_nothing`    |
//! |  9 | a loop that is not declared                | `undeclared_loop`   | `undeclared_loop`  |
//! | 10 | a key that has no hash                     | `float_key`         | `float_key`        |
//! | 11 | an output without `derive(Tuple)`          | `no_tuple`          | `no_tuple`         |
//! | 12 | a tuple without `derive(Serialize)`        | `no_serialize`      | `no_serialize`     |
//! | 13 | a stream without a grouping                | `not_grouped`       | `not_grouped`      |
//! | 14 | a stream of another topology               | plan                | plan               |
//! | 15 | a loop that is not closed                  | plan                | plan               |
//! | 16 | the wrong constructor in `to`              | `wrong_constructor` | `wrong_constructor`|
//! | 17 | two streams of different types, no `to`    | `join_without_to`   | `join_without_to`  |
//! | 18 | a spout as a bolt                          | `spout_as_bolt`     | `spout_as_bolt`    |
//! | 19 | a bolt as a spout                          | `bolt_as_spout`     | `bolt_as_spout`    |
//! | 20 | a spout that reads                         | `spout_reads`       | `spout_reads`      |
//! | 21 | an option that does not exist              | `unknown_option`    | `unknown_option`   |
//! | 22 | an option of the other kind                | `option_of_bolts`   | `option_of_bolts`  |
//! | 23 | an option of the wrong type                | `option_type`       | `option_type`      |
//! | 24 | a key field in quotes                      | `quoted_field`      | `quoted_field`     |
//! | 25 | a bolt that cannot be cloned or moved      | `not_clone`, `not_send` | the same       |
//!
//! Besides: `ui/component` has mistakes inside of bolts, which no form changes (wrong type
//! emitted, no `.await`, a ticket dropped or settled twice, an anchored emit in `tick`) and of
//! tuples and enums of streams (attributes of serde, names that are taken), and `ui/macro` has
//! `all_at_once`, `head` and `attribute` for what only macros can get wrong.
//!
//! The texts are those of the compiler in the house. After a change, look at each one by eye:
//! `TRYBUILD=overwrite cargo test -p tormenta-tests --test wrong_programs`.

use std::{error::Error, fs, path::Path};

use tormenta_dsl::{Topology, doc::NoEngine};

#[path = "ui/plan/builder.rs"]
mod by_hand;
#[path = "ui/plan/macro.rs"]
mod sugar;

/// One project and one build for all cases.
#[test]
fn rustc_and_the_macro_point_at_the_mistake() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/macro/*.rs");
    cases.compile_fail("tests/ui/builder/*.rs");
    cases.compile_fail("tests/ui/component/*.rs");
}

/// A report that shows the line of the invocation underlines all of it.
#[test]
fn no_report_points_at_the_macro_as_a_whole() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/macro");
    let mut reports = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "stderr") {
            continue;
        }
        reports += 1;
        let shown = fs::read_to_string(&path)?
            .lines()
            .filter_map(|line| line.split_once(" | "))
            .any(|(_, source)| source.trim_start_matches(['/', ' ']).starts_with("topology! {"));
        assert!(!shown, "{} points at the whole macro", path.display());
    }
    assert!(reports > 25, "only {reports} reports");
    Ok(())
}

type Declare = fn(&mut Topology<NoEngine>);

/// With the macro, with the builder, and what the plan says of both.
const PLANS: [(Declare, Declare, &[&str]); 9] = [
    (sugar::duplicate_name, by_hand::duplicate_name, &["two components are called `count`"]),
    (
        sugar::reserved_name,
        by_hand::reserved_name,
        &["`__acker` is no good name: names that start with `__` are reserved"],
    ),
    (sugar::bad_name, by_hand::bad_name, &["`my words` is no good name: use ASCII letters"]),
    (sugar::zero_tasks, by_hand::zero_tasks, &["`count`: it has 0 tasks"]),
    (sugar::reads_nothing, by_hand::reads_nothing, &["bolt `count` reads nothing"]),
    (
        sugar::other_topology,
        by_hand::other_topology,
        &["bolt `count` reads a stream of `tormenta_dsl::doc::Word` of another"],
    ),
    (sugar::open_feedback, by_hand::open_feedback, &["feedback `again` has no source"]),
    (sugar::unread_feedback, by_hand::unread_feedback, &["feedback `again` is read by nobody"]),
    (
        sugar::all_at_once,
        by_hand::all_at_once,
        &[
            "two components are called `words`",
            "`words`: it is `untracked` and `replaying`",
            "`words`: `pending_max(0)`",
            "`count`: `concurrent(0)`",
            "bolt `count` reads nothing",
        ],
    ),
];

#[test]
fn plans_name_every_mistake() {
    for (row, (sugar, by_hand, expected)) in PLANS.into_iter().enumerate() {
        let [sugar, by_hand] = [sugar, by_hand].map(|declare| {
            let mut t = Topology::new("wrong");
            declare(&mut t);
            let errors = t.plan().err().map(|all| all.errors).unwrap_or_default();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        });
        assert_eq!(sugar, by_hand, "row {row}");
        assert_eq!(sugar.len(), expected.len(), "row {row}: {sugar:#?}");
        for start in expected {
            let said = sugar.iter().any(|message| message.starts_with(start));
            assert!(said, "row {row}: `{start}` is not in {sugar:#?}");
        }
    }
}
