//! The rules of the house.
//!
//! What ARCHITECTURE.md says must never be somewhere, and what CONTRIBUTING.md asks of a file, as
//! far as a machine can tell. A rule is a function from files to findings; each is also shown a
//! small wrong house, so that a rule which has gone blind does not go unnoticed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/links.rs"]
mod links;

use code::{code, has_word};
use links::links;

/// Which crate of the house may depend on which. No other arrow, not even for tests.
const ARROWS: [(&str, &[&str]); 12] = [
    ("tormenta-macros", &[]),
    ("tormenta-dsl", &["tormenta-macros"]),
    ("tormenta-runtime", &["tormenta-dsl"]),
    ("tormenta-spouts", &["tormenta-dsl"]),
    ("tormenta-bolts", &["tormenta-dsl"]),
    ("tormenta-multilang", &["tormenta-dsl"]),
    (
        "tormenta",
        &[
            "tormenta-dsl",
            "tormenta-runtime",
            "tormenta-spouts",
            "tormenta-bolts",
            "tormenta-multilang",
        ],
    ),
    ("tormenta-alloc", &[]),
    ("tormenta-fraud", &["tormenta"]),
    ("tormenta-flow", &["tormenta"]),
    ("tormenta-cli", &["tormenta", "tormenta-alloc", "tormenta-flow", "tormenta-fraud"]),
    (
        "tormenta-tests",
        &["tormenta", "tormenta-dsl", "tormenta-runtime", "tormenta-spouts", "tormenta-bolts"],
    ),
];

/// Words that stand in the code of these files or folders only.
const WORDS: [(&str, &[&str]); 7] = [
    ("flume", &["runtime/src/channel/", "cluster/cli/src/bench/reference.rs"]),
    (
        "tokio",
        &[
            "runtime/src/executor/core.rs",
            "runtime/src/local.rs",
            "runtime/src/artifact/",
            "spouts/src/net/",
            "bolts/src/http_post/",
            "cluster/cli/",
            "tests/",
        ],
    ),
    ("bincode", &[]),
    ("mimalloc", &["cluster/alloc/", "benches/peers/"]),
    ("unsafe", &["cluster/alloc/"]),
    ("Instant", &["runtime/src/clock.rs", "cluster/cli/", "tests/", "benches/peers/"]),
    ("SystemTime", &["cluster/cli/", "tests/", "benches/peers/"]),
];

/// Macros and attributes that are for work in progress.
const UNFINISHED: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 4] = ["/work/", "/tmp/", "/home/", "/root/"];

const COLUMNS_MAX: usize = 100;

/// To become 300, when the longest files of today are taken apart.
const LINES_MAX: usize = 500;

/// Programs that must not compile, or hold what others must not do, keep no house rules.
const FIXTURES: &str = "tests/tests/ui/";

/// A committed text: its path from the root, with `/`, and what it says.
struct File {
    path: String,
    text: String,
}

#[test]
fn arrows_point_one_way() {
    let metadata = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("run cargo metadata");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("metadata is JSON");
    assert_none(&arrows(&metadata));
    let wrong = serde_json::json!({ "packages": [
        { "name": "tormenta-bolts", "dependencies": [{ "name": "tormenta-runtime" }] },
        { "name": "tormenta-new", "dependencies": [] },
    ]});
    assert_eq!(arrows(&wrong).len(), 2 + ARROWS.len() - 1);
}

#[test]
fn words_stand_where_they_may() {
    assert_none(&words(&files()));
    let wrong = [
        file("bolts/src/lib.rs", "//! tokio\nuse tokio::net;"),
        file("topology-dsl/src/x.rs", "fn f() { let a = 'u'; unsafe { g(r#\"\"\"#) } }"),
        file("src/x.rs", "#[ignore]\nfn f() { todo!(\"dbg!\") }"),
    ];
    assert_eq!(words(&wrong).len(), 4);
}

#[test]
fn files_have_a_head_and_a_size() {
    let files = files();
    print_largest(&files);
    assert_none(&shapes(&files));
    let (wide, long) = (format!("//! {}", "x".repeat(COLUMNS_MAX)), "//!\n".repeat(LINES_MAX + 1));
    let wrong = [file("a.rs", "fn f() {}"), file("b.rs", &wide), file("c.rs", &long)];
    assert_eq!(shapes(&wrong).len(), 3);
}

#[test]
fn links_lead_somewhere() {
    assert_none(&links(&files()));
    let wrong = [
        file("README.md", "# Some Title\n[a](lost.md) [b](#some-title) [c](#lost) [d][e]\n[e]: x"),
        file("docs/a.md", "```text\n[a](lost.md)\n```\n[b](../README.md#some-title)"),
    ];
    assert_eq!(links(&wrong), ["README.md: `lost.md`", "README.md: `#lost`", "README.md: `x`"]);
}

#[test]
fn nothing_names_this_machine() {
    assert_none(&machine_paths(&files()));
    let wrong = [file("docs/a.md", "see /work/notes"), file("tests/a.rs", "\"/tmp/x\"")];
    assert_eq!(machine_paths(&wrong).len(), 1);
}

/// The lock files are committed and take everything from where everybody can.
#[test]
fn dependencies_are_locked() {
    let ignored = fs::read_to_string(root().join(".gitignore")).expect("read .gitignore");
    assert!(!ignored.contains("Cargo.lock"), "Cargo.lock is not committed");
    let files = files();
    let locks: Vec<&File> = files.iter().filter(|f| f.path.ends_with("Cargo.lock")).collect();
    assert!(locks.iter().any(|lock| lock.path == "Cargo.lock"), "there is no Cargo.lock");
    for lock in locks {
        let sources = lock.text.lines().filter(|line| line.starts_with("source = "));
        for source in sources {
            assert!(source.contains("https://github.com/rust-lang/crates.io-index"), "{source}");
        }
    }
}

/// Every crate keeps the lints of the workspace, but for the one that may be unsafe.
#[test]
fn members_inherit_the_lints() {
    let inherits = |file: &File| file.text.contains("[lints]\nworkspace = true");
    let members = files().into_iter().filter(|file| file.path.ends_with("Cargo.toml"));
    let rogue: Vec<String> = members
        .filter(|file| !inherits(file) && !file.path.starts_with("benches/peers/"))
        .map(|file| file.path)
        .collect();
    assert_eq!(rogue, ["cluster/alloc/Cargo.toml"]);
}

/// The programs of the guide are tests, because the facade includes its pages.
#[test]
fn the_guide_is_compiled() {
    let facade = fs::read_to_string(root().join("src/lib.rs")).expect("read the facade");
    for file in files().iter().filter(|file| file.path.starts_with("docs/guide/")) {
        assert!(facade.contains(&format!("../{}", file.path)), "{} is not included", file.path);
    }
}

/// `.ci/run` takes the test command from here.
#[test]
fn the_readme_names_one_test_command() {
    let readme = fs::read_to_string(root().join("README.md")).expect("read the README");
    let commands: Vec<&str> =
        readme.lines().filter(|line| line.starts_with("cargo test")).collect();
    assert_eq!(commands, ["cargo test --workspace"]);
}

fn arrows(metadata: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    let mut missing: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        missing.remove(name);
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            findings.push(format!("`{name}` has no place among the arrows"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            // Its own name switches its features on, for its tests.
            if target.starts_with("tormenta") && target != name && !allowed.contains(&target) {
                findings.push(format!("`{name}` must not depend on `{target}`"));
            }
        }
    }
    findings.extend(missing.into_iter().map(|name| format!("`{name}` is gone")));
    findings
}

fn words(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| f.path.ends_with(".rs") && !f.path.starts_with(FIXTURES)) {
        let code = code(&file.text);
        for (word, places) in WORDS {
            let may = places.iter().any(|place| file.path.starts_with(place));
            if !may && has_word(&code, word) {
                findings.push(format!("{}: `{word}` stands in {places:?} only", file.path));
            }
        }
        for unfinished in UNFINISHED.iter().filter(|unfinished| has_word(&code, unfinished)) {
            findings.push(format!("{}: `{unfinished}`", file.path));
        }
    }
    findings
}

fn shapes(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| f.path.ends_with(".rs") && !f.path.starts_with(FIXTURES)) {
        if !file.text.starts_with("//!") {
            findings.push(format!("{}: begins with `//!`, and says what it is for", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{}: {lines} lines, at most {LINES_MAX}", file.path));
        }
        let wide = |line: &str| line.chars().count() > COLUMNS_MAX;
        for (index, _) in file.text.lines().enumerate().filter(|(_, line)| wide(line)) {
            findings.push(format!("{}:{}: over {COLUMNS_MAX} columns", file.path, index + 1));
        }
    }
    findings
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: what to take apart next")]
fn print_largest(files: &[File]) {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    let mut sizes: Vec<_> = rust.map(|f| (f.text.lines().count(), &f.path)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    for (lines, path) in sizes.iter().take(10) {
        println!("{lines:>5} {path}");
    }
}

fn machine_paths(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with("tests/")) {
        for path in MACHINE_PATHS.iter().filter(|path| file.text.contains(*path)) {
            findings.push(format!("{}: names `{path}..`", file.path));
        }
    }
    findings
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// All texts of the house, sorted by path.
fn files() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 100, "only {} files under {}", files.len(), root().display());
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    const TEXTS: [&str; 9] =
        [".rs", ".md", ".toml", ".lock", ".py", ".sh", ".java", ".yml", "/run"];
    for entry in fs::read_dir(folder).expect("read a folder of the house") {
        let entry = entry.expect("read an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let is_hidden = name.starts_with('.') && name != ".ci";
        if entry.path().is_dir() && !is_hidden && name != "target" {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if TEXTS.iter().any(|end| path.ends_with(end))
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(File { path, text });
        }
    }
}

#[track_caller]
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}
