//! `tormenta new`.

use std::{fs, path::Path, process::Command};

use crate::kit::{Said, directory, file, names, said, tormenta};

/// What its README promises. It is built without a network, with the versions of the checkout, and
/// shares with it what is built already.
#[test]
fn a_new_project_passes_its_tests_and_counts() {
    let dir = directory();
    let project = dir.path().join("hello-wind");
    assert_eq!(said(["new".as_ref(), project.as_os_str()]).code, Some(0));
    // The first thing that anybody adds is a tuple of their own.
    let main = project.join("src/main.rs");
    let own = "\n#[derive(Tuple, Clone, Serialize, Deserialize)]\nstruct Own { cents: u64 }\n";
    fs::write(&main, fs::read_to_string(&main).expect("it is there") + own).expect("written");
    let cargo = |words: &[&str]| -> Said {
        let mut cargo = cargo();
        cargo.args(words).current_dir(&project).env("CARGO_NET_OFFLINE", "true");
        // As the checkout is built. That it also builds as it is written is seen by its users.
        cargo.envs([("CARGO_PROFILE_DEV_OPT_LEVEL", "0"), ("CARGO_TARGET_DIR", target())]);
        cargo.output().expect("cargo starts").into()
    };
    let test = cargo(&["test"]);
    assert_eq!(test.code, Some(0), "{test:?}");
    assert!(test.out().contains("test result: ok. 2 passed; 0 failed"), "{test:?}");
    let run = cargo(&["run"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out().starts_with("4  the\n2  But\n2  Neither\n"), "{run:?}");
    assert!(run.err.contains("lines: 8 emitted, 8 acked"), "{run:?}");
    let describe = cargo(&["run", "-q", "--", "describe", "--json"]);
    assert_eq!(describe.json()["name"], "hello-wind", "as the executable is called");

    let zstd = file(&dir, "book.zst", b"\x28\xb5\x2f\xfd");
    let run = cargo(&["run", "-q", "--", zstd.to_str().expect("text")]);
    let says = ["book.zst` is packed with zstd", "give `tormenta` the feature `zstd`"];
    run.refused(1, &says);
}

/// The target directory of this build.
fn target() -> &'static str {
    let executable = Path::new(env!("CARGO_BIN_EXE_tormenta"));
    executable.ancestors().nth(2).and_then(Path::to_str).expect("a directory, in UTF-8")
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
}

#[test]
fn cargo_understands_the_project() {
    let dir = directory();
    let new = tormenta(["new", "hello"]).current_dir(dir.path()).output().expect("it starts");
    let told = String::from_utf8_lossy(&new.stderr);
    assert!(new.status.success() && told.contains("next: cd hello && cargo run"), "{told}");
    let project = dir.path().join("hello");
    let files = [".gitignore", "Cargo.lock", "Cargo.toml", "README.md", "src"];
    assert_eq!(names(&project), files);
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("written");
    assert!(manifest.contains("[profile.dev]\nopt-level = 1\ndebug = \"line-"), "{manifest}");
    assert_eq!(packages(&project), 1);
}

/// Within the checkout a project must say that it is none of its members.
#[test]
fn a_project_within_the_checkout_stands_alone() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("there");
    let project = dir.path().join("hello");
    assert_eq!(said(["new".as_ref(), project.as_os_str()]).code, Some(0));
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("written");
    assert_eq!(manifest.contains("[workspace]"), project.starts_with(root));
    assert_eq!(packages(&project), 1);
}

/// What is not light has to be asked for.
#[test]
fn a_project_compiles_what_it_needs() {
    let dir = directory();
    let project = dir.path().join("hello");
    assert_eq!(said(["new".as_ref(), project.as_os_str()]).code, Some(0));
    let mut tree = cargo();
    tree.args(["tree", "--offline", "--edges=normal,build", "--prefix=none"]);
    let output = tree.current_dir(&project).output().expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"tormenta-spouts"), "{}", String::from_utf8_lossy(&output.stderr));
    let heavy = ["csv", "hyper", "hyper-util", "zstd"];
    assert!(!crates.iter().any(|name| heavy.contains(name)), "{text}");
}

/// Packages of the workspace that cargo sees here.
fn packages(project: &Path) -> usize {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let output = metadata.current_dir(project).output().expect("cargo starts");
    let told = String::from_utf8_lossy(&output.stderr);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&told);
    json["packages"].as_array().expect("packages").len()
}

#[test]
fn what_is_there_is_not_touched() {
    let dir = directory();
    let (full, empty, file) = ("full", "empty", "file");
    fs::create_dir_all(dir.path().join(full).join("src")).expect("made");
    fs::create_dir(dir.path().join(empty)).expect("made");
    fs::write(dir.path().join(file), "").expect("written");
    let new = |name: &str| said(["new".as_ref(), dir.path().join(name).as_os_str()]);
    new(full).refused(5, &["full` exists and is not empty", "choose another name"]);
    new(file).refused(5, &["file` exists and is no directory"]);
    assert_eq!(new(empty).code, Some(0));
    assert_eq!(names(&dir.path().join(full)), ["src"]);
}

#[test]
fn bad_names() {
    for (name, says) in [
        ("9lives", "begin with a letter"),
        ("h\u{e9}llo", "letters of ASCII"),
        ("a b", "such as `hello-world`"),
        ("fn", "try `my-fn`"),
        ("tormenta", "try `my-tormenta`"),
        ("..", "try `hello`"),
    ] {
        said(["new", name]).refused(2, &[&format!("`{name}` is no good name"), says]);
    }
}
