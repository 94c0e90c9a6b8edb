//! Help, mistakes on the command line, and the small commands.

use crate::kit::{said, tormenta};

#[test]
fn mistakes_are_usage_and_suggest_the_right_word() {
    let mistakes: [(&[&str], &str); 8] = [
        (&["dmeo"], "'demo'"),
        (&["demo", "word-cuont"], "'word-count'"),
        (&["demo", "word-count", "--taks", "2"], "'--tasks'"),
        (&["demo", "word-count", "--ouput", "x"], "'--output'"),
        (&["version", "-o", "jsn"], "'json'"),
        (&["version", "--colour", "never"], "'--color'"),
        (&["completions", "bsh"], "'bash'"),
        (&["run"], "<ARTIFACT>"),
    ];
    for (words, suggestion) in mistakes {
        said(words).refused(2, &["error: ", suggestion]);
    }
}

#[test]
fn no_command_at_all_shows_the_help_and_is_a_mistake() {
    said([""; 0]).refused(2, &["Usage: tormenta", "Exit codes:\n  0 ok, 1 failed, 2 usage"]);
    said(["demo"]).refused(2, &["word-count"]);
}

#[test]
fn help_is_data() {
    let help = said(["demo", "word-count", "--help"]);
    assert_eq!((help.code, &help.err[..]), (Some(0), ""));
    assert!(help.out().contains("--tasks <N>"), "{help:?}");
}

#[test]
fn versions_and_completions() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(said(["version"]).out(), format!("tormenta {version}\n"));
    assert_eq!(said(["--version"]).out(), format!("tormenta {version}\n"));
    assert_eq!(said(["version", "-o", "json"]).json()["version"], version);
    // `--format` is left to commands, for what they read.
    assert_eq!(said(["version", "--output-format", "json"]).json()["version"], version);
    said(["version", "--format", "json"]).refused(2, &["'--format'"]);
    let lines = said(["version", "-o", "ndjson"]).out();
    assert_eq!(lines.lines().count(), 1);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = said(["completions", shell]);
        assert_eq!(script.code, Some(0));
        assert!(script.out().contains("word-count"), "{shell}");
        assert!(script.out().contains("output-format"), "{shell}");
    }
}

#[test]
fn colour_is_for_those_who_want_it() {
    let colored = |words: &[&str], no_color: &str| {
        let output = tormenta(words).env("NO_COLOR", no_color).output().expect("it starts");
        String::from_utf8_lossy(&output.stderr).contains("\x1b[")
    };
    let lost = ["demo", "word-count", "/lost"];
    assert!(!colored(&lost, ""), "standard error is no terminal");
    assert!(colored(&["demo", "word-count", "/lost", "--color", "always"], "1"));
    assert!(colored(&["dmeo", "--color=always"], "1"));
    assert!(!colored(&["dmeo", "--color", "never"], ""));
}
