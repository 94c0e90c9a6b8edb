//! What is said about mistakes: each at its place, with its mend.

use tormenta_flow::Flow;

use crate::kit::mistakes;

const LINES: &str = "spouts.lines = { type = 'lines', path = 'x' }\n";

/// A flow whose second line is a bolt with one mistake.
#[track_caller]
fn bolt(bolt: &str, says: &str) {
    let text = mistakes(&format!("{LINES}bolts.b = {{ {bolt} }}"));
    let (place, message) = text.split_once(' ').expect("a place");
    assert!(place.starts_with("f.toml:2:") && place.ends_with(':'), "{text}");
    assert!(message.contains(says), "`{says}` is not in: {message}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn names_and_types() {
    bolt("reads = 'lines'", "`b` has no `type`");
    bolt("type = 'spilt', reads = 'lines'", "unknown bolt `spilt`; did you mean `split`?");
    bolt(
        "type = 'tail', reads = 'lines', path = 'x'",
        "`tail` is a spout; declare it as `[spouts.b]`",
    );
    bolt("type = 7, reads = 'lines'", "the type of `b` is an integer; write a text");
    bolt(
        "type = 'split', reads = 'lines', intto = 'x'",
        "no parameter `intto`; did you mean `into`?",
    );
    bolt("type = 'split', reads = 'lines', into = 7", "`into` of `b` is an integer; write a text");
    bolt("type = 'count', reads = 'lines'", "`b` has no `by`; add it: `by = \"word\"`");
    bolt("type = 'print', reads = 'lines', format = 'jsn'", "unknown `jsn`; did you mean `json`?");
    bolt("type = 'split', reads = 'lines', tasks = 0", "it is 0; write 1 or more");
    for period in ["tick", "execute_timeout", "hold_timeout"] {
        bolt(
            &format!("type = 'split', reads = 'lines', {period} = '0s'"),
            "it is 0; write 1ms or more",
        );
    }
    bolt("type = 'shell', reads = 'lines', command = ['x'], timeout = '0s'", "write 1ms or more");
}

#[test]
fn edges() {
    bolt("type = 'split'", "`b` reads nothing; add `reads = \"..\"`");
    bolt("type = 'split', reads = []", "reads nothing; name a component");
    bolt(
        "type = 'split', reads = 'lins'",
        "reads `lins`, which nobody declares; did you mean `lines`?",
    );
    bolt(
        "type = 'split', reads = 'lines.bad'",
        "`lines` has no stream `bad`; there is only `default`",
    );
    bolt(
        "type = 'split', reads = { form = 'lines', from = 'lines' }",
        "no parameter `form`; did you mean `from`?",
    );
    bolt(
        "type = 'split', reads = { from = 'lines', by = 'lin' }",
        "no field `lin`; did you mean `line`?",
    );
    bolt("type = 'split', reads = { from = 'lines', grouping = 'al' }", "did you mean `all`?");
    bolt(
        "type = 'split', reads = { from = 'lines', grouping = 'all', by = 'line' }",
        "exclude each other; keep one",
    );
    bolt("type = 'split', reads = 7", "reads an integer; write the name of a component");
    bolt("type = 'split', reads = 'b'", "a loop: `b` reads `b`; mark the edge");
}

#[test]
fn fields() {
    bolt("type = 'count', reads = 'lines', by = 'word'", "no field `word`; there is only `line`");
    bolt(
        "type = 'count', reads = 'lines', by = 'line', tasks = 2",
        "would each see a part of every key; read `{ from = \"lines\", by = [\"line\"] }`",
    );
    bolt("type = 'count', reads = 'lines', by = 'line', into = 'line'", "choose another name");
    bolt("type = 'filter', reads = 'lines', field = 'line'", "compares with no value");
    bolt(
        "type = 'filter', reads = 'lines', field = 'line', value = 7",
        "compare it with a value of text",
    );
    bolt(
        "type = 'map', reads = 'lines', field = 'line', op = 'add', argument = 1",
        "`line` is text",
    );
    bolt(
        "type = 'map', reads = 'lines', field = 'line', op = 'before'",
        "`argument` is none where a text",
    );
    bolt("type = 'print', reads = 'lines', template = '{lin}'", "did you mean `line`?");
    bolt(
        "type = 'line-file', reads = 'lines', path = 'x', tasks = 2",
        "put `{task}` into the path",
    );
    bolt(
        "type = 'top-n', reads = 'lines', by = 'line', over = '1s', slots = 7",
        "1000 ms are no 7 equal slots; write `slots = 5`, or",
    );
    bolt("type = 'top-n', reads = 'lines', by = 'line', over = '0s'", "make `over` 1 ms or longer");
    bolt("type = 'sample', reads = 'lines'", "a sample is `every = ..`");
    bolt("type = 'join', reads = 'lines'", "joins one `left` and one `right` stream");
}

#[test]
fn windows() {
    let window = |more: &str, says: &str| {
        bolt(&format!("type = 'window', reads = 'lines', {more}"), says);
    };
    window("results = 'count'", "it has no windows; add `tumbling`");
    window("results = 'count', tumbling = '1m'", "need `event_time`");
    window("results = 'count', tumbling = '1m', rows = 2", "exclude each other");
    window("results = 'count', sliding = '1m'", "needs `slide`");
    window("results = 'count', rows = 2, by = 'x'", "no field `x`");
    window("results = 'sum line', rows = 2", "`sum_line` is text, and no number");
    window("results = 'sum', rows = 2", "is not complete");
    window("results = 'count', tumbling = '1m', event_time = 'line'", "make one with `parse-time`");
}

#[test]
fn floats_are_no_keys() {
    let text = mistakes(
        "spouts.rows = { type = 'csv', path = 'x', fields = ['a: float'] }\n\
         bolts.b = { type = 'print', reads = { from = 'rows', by = 'a' } }",
    );
    assert!(text.contains("f.toml:2:59: `a` is float, which is no key"), "{text}");
}

#[test]
fn nothing_can_be_read_from_a_sink() {
    let text = mistakes(&format!(
        "{LINES}bolts.p = {{ type = 'print', reads = 'lines' }}\n\
         bolts.q = {{ type = 'print', reads = 'p' }}"
    ));
    assert_eq!(text, "f.toml:3:37: `p` emits nothing; read another component");
}

#[test]
fn all_of_them_in_one_run() {
    let text = mistakes(
        "nmae = 'x'\n\
         [spouts.a]\ntype = 'tial'\n\
         [spouts.b]\ntype = 'tail'\npoll = 5\npath = '${NOPE}'\n\
         [bolts.b]\ntype = 'split'\nreads = 'c'\n\
         [bolts.d]\ntype = 'split'\nreads = 'e'\n\
         [bolts.e]\ntype = 'split'\nreads = 'd'\n",
    );
    let places: Vec<&str> = text.lines().filter_map(|line| line.split(": ").next()).collect();
    let expected =
        ["1:1", "3:8", "6:8", "7:8", "8:8", "10:9", "13:9"].map(|place| format!("f.toml:{place}"));
    assert_eq!(places, expected, "{text}");
    assert!(text.contains("`d` reads `e`, which reads `d`; mark"), "{text}");
}

#[test]
fn what_the_engine_refuses_has_a_place_too() {
    let text = mistakes(
        "spouts.l = { type = 'lines', path = 'x' }\n\
         spouts.lines = { type = 'lines', path = 'x', tasks = 1000000 }\n\
         spouts.more = { type = 'lines', path = 'x', tracked = false, attempts = 3 }",
    );
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("f.toml:2:8: `lines`: 1000000 tasks: at most"), "{text}");
    assert!(lines[1].starts_with("f.toml:3:8: `more`: it is `untracked` and"), "{text}");
}

#[test]
fn words_of_elsewhere() {
    bolt(
        "type = 'parse-fields', reads = 'lines', fields = ['n: integer']",
        "unknown kind `integer`; did you mean `int`?",
    );
    bolt(
        "type = 'window', reads = 'lines', rows = 2, results = 'avg line'",
        "did you mean `mean`?",
    );
    bolt(
        "type = 'print', reads = { from = 'lines', grouping = 'fields' }",
        "is written with their names: `by = [\"..\"]`",
    );
    bolt("type = 'http-post', reads = 'lines', url = 'https://x'", "asks for encryption");
    bolt("type = 'http-post', reads = 'lines', url = 'x'", "write `http://host:port/path`");
}

#[test]
fn spouts_read_nothing_and_listen_somewhere() {
    let text = mistakes("spouts.t = { type = 'timer', every = '1s', reads = 'x' }");
    assert_eq!(text, "f.toml:1:44: `t` is a spout, and those read nothing; declare `[bolts.t]`");
    let text = mistakes("spouts.h = { type = 'http', address = 'localhost' }");
    assert!(text.starts_with("f.toml:1:39: `address` of `h`: `localhost` has no port"), "{text}");
    let text = mistakes("spouts.h = { type = 'tcp-lines', address = ':x' }");
    assert!(text.contains("`:x` is no address; write one such as `127.0.0.1:8080`"), "{text}");
}

#[test]
fn texts_and_parts_are_where_they_are_wanted() {
    let number = "type = 'map', reads = 'lines', field = 'line', op";
    bolt(&format!("{number} = 'get', argument = 'a'"), "only `any` has parts; read it as `any`");
    bolt(&format!("{number} = 'iso'"), "make one with `parse-time`");
    bolt(
        &format!("{number} = 'prefix', with = 'line', argument = 'x'"),
        "`argument` and `with` exclude each other",
    );
    let text = mistakes(&format!(
        "{LINES}bolts.n = {{ {number} = 'length' }}\n\
         bolts.s = {{ type = 'split', reads = 'n', field = 'line' }}"
    ));
    assert!(text.contains("`line` is int where a text is wanted"), "{text}");
    let text = mistakes(&format!(
        "{LINES}bolts.n = {{ {number} = 'length', into = 'n' }}\n\
         bolts.m = {{ type = 'map', reads = 'n', field = 'n', op = 'add', with = 'line' }}"
    ));
    assert!(text.contains("`with` is a text where a number is wanted"), "{text}");
}

#[test]
fn no_flow_at_all() {
    assert!(mistakes("").starts_with("f.toml:1:1: the flow has no spout"));
    assert!(mistakes("spouts = 7").contains("`spouts` is no table; write `[spouts.name]`"));
    assert!(mistakes("spouts.a = 7").contains("`a` is no table; write `[spouts.a]`"));
    let twice = mistakes("[spouts.a]\ntype = 'timer'\nevery = '1s'\n[spouts.a]\n");
    assert_eq!(twice, "f.toml:4:9: `a` is declared twice; rename or remove one of the two");
}

/// Its lines would be nowhere after the next run.
#[test]
fn a_file_that_each_run_begins_anew_is_refused_behind_a_checkpoint() {
    let flow = |tail: &str, sink: &str| {
        let text = format!(
            "spouts.log = {{ type = 'tail', path = 'a.log'{tail} }}\n\
             spouts.other = {{ type = 'lines', path = 'b.log' }}\n\
             bolts.all = {{ type = 'sample', reads = ['other', 'log'], every = 2 }}\n\
             bolts.file = {{ type = '{sink}', reads = 'all', path = 'out' }}"
        );
        Flow::parse("x.toml", &text, |_| None).err().map(|mistakes| mistakes.to_string())
    };
    let mistake = flow(", checkpoint = 'a.place'", "line-file").expect("refused");
    assert!(mistake.starts_with("x.toml:4:"), "{mistake}");
    for says in ["`log` (tail) goes on from its checkpoint", "use `json-file` or `csv-file`"] {
        assert!(mistake.contains(says), "{mistake}");
    }
    assert_eq!(flow("", "line-file"), None);
    assert_eq!(flow(", checkpoint = 'a.place'", "json-file"), None);
}
