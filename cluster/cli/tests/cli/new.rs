//! `tormenta new`.

use std::{fs, path::Path, process::Command};

use crate::kit::{directory, names, said, tormenta};

/// That it compiles and counts is tested by building the same `main.rs` as an example of this
/// package. Here cargo is asked whether it understands the rest.
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
    assert!(manifest.contains("[profile.dev]\nopt-level = 1\n"), "{manifest}");
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

/// Packages of the workspace that cargo sees here.
fn packages(project: &Path) -> usize {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut metadata = Command::new(cargo);
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
