//! `tormenta run` with flows, and `tormenta components`.

use std::{fs, path::Path, process::Stdio, time::Duration};

use tempfile::TempDir;

use crate::kit::{Said, directory, file, names, said, signal, tormenta};

/// Runs a flow in a directory of its own, with these variables of the environment.
fn flow(dir: &TempDir, text: &str, words: &[&str], env: &[(&str, &str)]) -> Said {
    file(dir, "flow.toml", text);
    let mut command = tormenta(["run", "flow.toml"].iter().chain(words));
    command.current_dir(dir.path()).envs(env.iter().copied());
    command.output().expect("it starts").into()
}

const WORDS: &str = "
[spouts.lines]
type = \"lines\"
path = \"${BOOK:-book.txt}\"

[bolts.split]
type = \"split\"
reads = \"lines\"

[bolts.count]
type = \"count\"
reads = { from = \"split\", by = \"word\" }
by = \"word\"
emit = \"end\"
tasks = \"${TASKS:-1}\"

[bolts.print]
type = \"print\"
reads = \"count\"
template = \"{count} {word}\"
";

#[test]
fn a_flow_counts_words() {
    let dir = directory();
    file(&dir, "book.txt", "to be or\nnot to be\n");
    file(&dir, "other.txt", "b a b\n");
    let run = flow(&dir, WORDS, &[], &[]);
    assert_eq!((run.code, run.out().as_str()), (Some(0), "2 be\n1 not\n1 or\n2 to\n"), "{run:?}");
    assert!(
        run.err.contains("flow: done after") && run.err.contains("lines: 2 emitted"),
        "{run:?}"
    );
    let run = flow(&dir, WORDS, &["-q"], &[("BOOK", "other.txt"), ("TASKS", "2")]);
    let mut lines: Vec<&str> = Vec::new();
    let out = run.out();
    lines.extend(out.lines());
    lines.sort_unstable();
    assert_eq!((run.code, lines, run.err.as_str()), (Some(0), vec!["1 a", "2 b"], ""));
}

#[test]
fn a_summary_is_json_and_a_check_runs_nothing() {
    let dir = directory();
    file(&dir, "book.txt", "to be\n");
    let json = flow(&dir, WORDS, &["-o", "json"], &[]);
    let last = json.out().lines().last().map(str::to_owned).expect("a line");
    let summary: serde_json::Value = serde_json::from_str(&last).expect("JSON");
    assert_eq!(summary["metrics"]["components"][0]["acked"], 1);

    let tree = flow(&dir, WORDS, &["--check"], &[("BOOK", "lost.txt")]);
    assert_eq!((tree.code, tree.err.as_str()), (Some(0), ""), "{tree:?}");
    assert!(tree.out().contains("bolt  count x1 -> Row(word: text, count: int)"), "{tree:?}");
    let plan = flow(&dir, WORDS, &["--check", "-o", "json"], &[]).json();
    assert_eq!(plan["components"][0]["type_name"], "lines");
    assert_eq!(plan["components"][2]["ports"][0]["schema"], "Row(word: text, count: int)");
}

#[test]
fn a_file_that_is_lost_is_an_error_of_the_run() {
    let dir = directory();
    let run = flow(&dir, WORDS, &[], &[]);
    run.refused(3, &["`book.txt` does not exist"]);
}

#[test]
fn mistakes_have_places_and_codes() {
    let dir = directory();
    let text = "
[spouts.lines]
type = \"lnes\"
[spouts.more]
type = \"lines\"
path = \"${NO_SUCH_VARIABLE}\"
taks = 2
[bolts.split]
type = \"split\"
reads = \"mor\"
tasks = 0
";
    let says = [
        "error: `flow.toml` has 5 mistakes, and was not run\n",
        "\nflow.toml:3:8: unknown spout `lnes`; did you mean `lines`?\n",
        "\nflow.toml:6:8: the environment variable `NO_SUCH_VARIABLE` is not set; set it, or",
        "\nflow.toml:7:1: `more` has no parameter `taks`; did you mean `tasks`?\n",
        "\nflow.toml:10:9: `split` reads `mor`, which nobody declares; did you mean `more`?\n",
        "\nflow.toml:11:9: `tasks` of `split`: it is 0; write 1 or more\n",
    ];
    flow(&dir, text, &[], &[]).refused(1, &says);
    flow(&dir, text, &["--check"], &[]).refused(1, &says);
    let json = flow(&dir, text, &["--check", "-o", "json"], &[]);
    let mistakes = json.json();
    assert_eq!((json.code, &mistakes["mistakes"][4]["line"]), (Some(1), &11.into()));
    flow(&dir, "", &[], &[]).refused(1, &["flow.toml:1:1: the flow has no spout; add one"]);
    flow(&dir, "[spouts.a\ntype = 1", &[], &[]).refused(1, &["flow.toml:1:10: this is no TOML"]);
    flow(&dir, WORDS, &["--", "x"], &[]).refused(2, &["a flow takes no words"]);
    flow(&dir, WORDS, &["x"], &[]).refused(2, &["a flow takes no words"]);
    let mend = "put words for the topology after it: `tormenta run hello -- book.txt ..`";
    said(["run", "hello", "book.txt", "x", "--", "y"]).refused(2, &["`book.txt`", mend]);
    let here = tormenta(["run", "."]).current_dir(dir.path()).output().expect("it starts");
    let name = dir.path().file_name().expect("a name").to_str().expect("text");
    Said::from(here).refused(1, &[&format!("`./target/debug/{name}`")]);
}

#[test]
fn what_is_no_file_is_refused() {
    let dir = directory();
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    said(["run", &path("lost.toml")]).refused(3, &["lost.toml` does not exist"]);
    fs::create_dir(dir.path().join("dir.toml")).expect("made");
    said(["run", &path("dir.toml")]).refused(1, &["is a directory; name a file"]);
    file(&dir, "latin.toml", b"name = \"\xe9\"");
    said(["run", &path("latin.toml")]).refused(1, &["is no UTF-8"]);
    assert_eq!(names(dir.path()), ["dir.toml", "latin.toml"]);
}

#[test]
fn who_closes_the_output_ends_the_flow() {
    let dir = directory();
    let text = "spouts.n = { type = \"sequence\" }\n\
                bolts.p = { type = \"print\", reads = \"n\", template = \"{number}\" }";
    file(&dir, "flow.toml", text);
    let mut command = tormenta(["run", "flow.toml"]);
    command.current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut first = [0; 2];
    let mut out = child.stdout.take().expect("piped");
    std::io::Read::read_exact(&mut out, &mut first).expect("a line");
    drop(out);
    let ended: Said = child.wait_with_output().expect("it ends").into();
    assert_eq!((ended.code, &first), (Some(0), b"0\n"), "{ended:?}");
}

#[test]
fn bad_rows_are_dead_letters() {
    let dir = directory();
    file(&dir, "in.csv", "n\n1\nx\n");
    let text = "spouts.rows = { type = \"csv\", path = \"in.csv\", fields = [\"n: int\"] }\n\
                bolts.p = { type = \"print\", reads = \"rows\" }";
    let run = flow(&dir, text, &["--dead-letters", "dead.jsonl"], &[]);
    assert_eq!(run.out(), "{\"n\":1}\n", "{run:?}");
    let letters = fs::read_to_string(dir.path().join("dead.jsonl")).expect("letters");
    assert!(letters.contains("in.csv:3"), "{letters}");
}

/// The flow of the guide: an access log that is still written, and the URLs that are asked for.
#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "another process works meanwhile")]
fn an_access_log_is_followed_into_a_ranking() {
    let dir = directory();
    let line = |url: &str| {
        format!("::1 - - [10/Oct/2000:13:55:36 -0700] \"GET {url} HTTP/1.0\" 200 2326\n")
    };
    let log = file(&dir, "access.log", [line("/a?x=1"), line("/b"), line("/a")].concat());
    let flow = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flows/top-urls.toml");
    let mut command = tormenta(["run".as_ref(), flow.as_os_str()]);
    let mut child = command
        .env("LOG", &log)
        .stdout(fs::File::create(dir.path().join("out")).expect("a file"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let printed = |text: &str| {
        for _ in 0..600 {
            let out = fs::read_to_string(dir.path().join("out")).expect("text");
            if out.contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("`{text}` was not printed");
    };
    printed("  1         2  /a\n  2         1  /b\n");
    let more = [line("/b"), line("/b")].concat();
    fs::write(&log, fs::read_to_string(&log).expect("text") + &more).expect("written");
    printed("  1         3  /b\n  2         2  /a\n");
    signal("INT", child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn components_are_listed_and_explained() {
    let list = said(["components"]);
    assert_eq!(list.code, Some(0), "{list:?}");
    assert!(list.out().contains("\n  tail          The lines of a file as they are written"));
    let tail = said(["components", "tail"]).out();
    assert!(tail.contains("  path  (required)\n") && tail.contains("poll = \"10ms\""), "{tail}");
    assert!(tail.contains("  poll  (\"100ms\" unless set)\n"), "{tail}");
    let both = said(["components", "shell"]).out();
    assert!(both.contains("shell, a spout") && both.contains("shell, a bolt"), "{both}");
    assert!(said(["components", "settings"]).out().contains("Of every spout:\n  tasks"));
    let json = said(["components", "-o", "json"]).json();
    assert_eq!((&json[0]["name"], &json[0]["role"]), (&"lines".into(), &"spout".into()));
    let count = said(["components", "count", "-o", "json"]).json();
    assert_eq!(
        (&count["params"][1]["default"], &count["params"][0]["required"]),
        (&"\"each\"".into(), &true.into())
    );
    said(["components", "tial"]).refused(3, &["no component `tial`; did you mean `tail`?"]);
    let none = said(["components", "nope"]);
    assert_eq!((none.code, none.err.matches("`shell`").count()), (Some(3), 1), "{none:?}");
}

/// The page of the guide is true: its flows have no mistakes.
#[test]
fn the_flows_of_the_guide_are_sound() {
    let page =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/declared-topologies.md");
    let page = fs::read_to_string(page).expect("the page");
    let flows: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(flows.len() >= 3, "{} flows", flows.len());
    for text in flows {
        let checked = flow(&directory(), text, &["--check"], &[]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
    }
}

/// Nothing is written any more, so nothing but a look can tell.
#[cfg(unix)]
#[test]
fn a_quiet_flow_notices_that_its_reader_has_gone() {
    use std::io::{BufRead, BufReader};

    let dir = directory();
    file(&dir, "app.log", "one\n");
    let flow = file(
        &dir,
        "flow.toml",
        "spouts.log = { type = 'tail', path = 'app.log' }\n\
         bolts.print = { type = 'print', reads = 'log', template = '{line}' }",
    );
    let mut child = tormenta(["run".as_ref(), flow.as_os_str()])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("a line");
    assert_eq!(line, "one\n");
    drop(stdout);
    let waited = std::thread::spawn(move || child.wait_with_output());
    for _ in 0..100 {
        if waited.is_finished() {
            let said = Said::from(waited.join().expect("waited").expect("it ends"));
            assert_eq!(said.code, Some(0), "{said:?}");
            return;
        }
        crate::signals::wait(100);
    }
    panic!("it has not ended after 10 s");
}
