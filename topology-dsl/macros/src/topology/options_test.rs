//! Mistakes in what follows a component.

use super::mistakes_test::mistakes;

#[test]
fn options() {
    mistakes(
        "bolt b = B, task: 4, reads: s.all();",
        &["there is no option `task`: did you mean `tasks`?"],
    );
    mistakes(
        "bolt b = B, reeds: s.all();",
        &["there is no option `reeds`: did", "bolt `b` reads nothing"],
    );
    mistakes(
        "bolt b = B, parallelism = 4, reads: s.all();",
        &["there is no option `parallelism`: did you mean `tasks`?"],
    );
    mistakes(
        "bolt b = B, colour: 4, reads: s.all();",
        &["there is no option `colour`: a bolt takes `reads`, `tasks`"],
    );
    mistakes("spout b = B, tick: d;", &["`tick` is an option of bolts, and `b` is a spout"]);
    mistakes("bolt b = B, untracked, reads: s.all();", &["`untracked` is an option of spouts"]);
    mistakes("spout b = B, reads: s.all();", &["a spout reads nothing"]);
    mistakes("bolt b = B, tasks: 1, reads: s.all(), tasks: 2;", &["`tasks` is given twice"]);
    mistakes("bolt b = B, tasks: 0, reads: s.all();", &["`tasks: 0` would do nothing"]);
    mistakes(
        "bolt b = B, concurrent: 0usize, reads: s.all();",
        &["`concurrent: 0` would do nothing"],
    );
    mistakes("bolt b = B, tasks = 1, reads: s.all();", &["expected `:` after `tasks`"]);
    mistakes("bolt b = B, tasks 1, reads: s.all();", &["expected `:` after `tasks`"]);
    mistakes("bolt b = B, tasks, reads: s.all();", &["`tasks` needs a value, as in `tasks: 4`"]);
    mistakes("bolt b = B, tasks: , reads: s.all();", &["`tasks` needs a value"]);
    mistakes("bolt b = B, tasks: 4 reads: s.all();", &["expected `,`"]);
    mistakes("bolt b = B, blocking: true, reads: s.all();", &["`blocking` takes no value"]);
    mistakes("bolt b = B, 4, reads: s.all();", &["expected an option, such as"]);
    mistakes("bolt b = B, s.all();", &["expected an option, such as", "bolt `b` reads nothing"]);
    mistakes("bolt b = B, reads: s.all() => 4, tasks: 1;", &["expected `,` or `;`"]);
}

#[test]
fn tables() {
    mistakes("bolt b = B, reads: s.all(), config: 4;", &["expected a table"]);
    mistakes("bolt b = B, reads: s.all(), config;", &["expected a table"]);
    mistakes("bolt b = B, reads: s.all(), config: { a: 1, a: 2 };", &["\"a\" is set twice"]);
    mistakes(
        "bolt b = B, reads: s.all(), config: { a = 1, b: , 3: 4 };",
        &["expected `:` after \"a\"", "\"b\" needs a value", "expected a key"],
    );
}
