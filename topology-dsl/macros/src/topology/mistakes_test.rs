//! Mistakes in our own syntax: what is said, that all of it is said, and that the rest expands.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::expand;
use crate::testing::messages;

/// Expands a body and compares the mistakes with the expected beginnings of messages.
#[track_caller]
pub(super) fn mistakes(body: &str, expected: &[&str]) {
    let function = format!("fn f(tasks: usize) {{ spout s = S; {body} s.all(); }}");
    program(&function, expected);
}

#[track_caller]
fn program(source: &str, expected: &[&str]) {
    let expansion = expand(source.parse().unwrap());
    let found = messages(expansion.clone());
    let same = found.len() == expected.len()
        && expected.iter().all(|start| found.iter().any(|message| message.starts_with(start)));
    assert!(same, "expected {expected:#?}\nfound {found:#?}\nin {expansion}");
    assert!(syn::parse2::<syn::File>(expansion.clone()).is_ok(), "no longer Rust: {expansion}");
}

#[test]
fn statements() {
    mistakes("bolt b B, reads: s.all();", &["expected `=`"]);
    mistakes("bolt b == B, reads: s.all();", &["expected `=`"]);
    mistakes("bolt b: B, reads: s.all();", &["expected `=`"]);
    mistakes("spout b;", &["expected `=`"]);
    mistakes("spout b = ;", &["expected the spout itself"]);
    mistakes("bolt b = , reads: s.all();", &["expected the bolt itself"]);
    mistakes("bolt b = B;", &["bolt `b` reads nothing"]);
    mistakes("bolt b = B, reads: s.all() bolt c = C, reads: b.all();", &["expected `;`"]);
    mistakes("bolt b = B, reads: s.all() let x = 1;", &["expected `;`"]);
    mistakes("bolt b = B, reads: s.all(), let x = 1;", &["expected `;`"]);
    mistakes("bolt b = B, reads: s.all(); bolt b = C, reads: b.all();", &["`b` is declared twice"]);
    mistakes("bolt __b = B, reads: s.all();", &["names that start with `__`"]);
    mistakes("bolt _ = B, reads: s.all();", &["a component needs a name"]);
    mistakes("bolt loop = B, reads: s.all();", &["`loop` is a word of Rust"]);
    mistakes("bolt größe = B, reads: s.all();", &["`größe` is no good name"]);
    mistakes("match x { 1 => bolt b = B, reads: s.all(); }", &["`bolt` starts a statement"]);
}

#[test]
fn groupings() {
    mistakes(
        "bolt b = B, reads: s.by(\"word\");",
        &["fields are named without quotes: `by(word)`"],
    );
    mistakes("bolt b = B, reads: s.by(card, x + 1);", &["expected a field, as those before it"]);
    mistakes("bolt b = B, reads: s.partial_by(card, |x| x);", &["expected a field, as those"]);
}

#[test]
fn loops() {
    mistakes(
        "bolt b = B, reads: c.all(); bolt c = C, reads: b.all();",
        &["`c` is declared further down"],
    );
    mistakes("bolt b = B, reads: b.all();", &["`b` is declared further down"]);
    mistakes(
        "bolt b = B, reads: [s.all(), c.all(), d];
         bolt c = C, reads: b.all();
         bolt d = D, reads: b.all();",
        &["`c` is declared further down", "`d` is declared further down"],
    );
    mistakes("let c = s; bolt b = B, reads: c.by(b); bolt c = C, reads: b.by(b);", &[]);
    mistakes("bolt b = B, reads: s.by(|c| &c.x); bolt tasks = C, reads: tasks.by(b);", &[]);
}

#[test]
fn functions() {
    program("", &[]);
    program("x", &["expected a function"]);
    program("name: \"fraud\", spouts: {}", &["expected a function"]);
    program("struct X { y: u8 } fn f() {}", &["expected a function"]);
    program("fn f()", &["expected the body"]);
    program("async fn f() {}", &["a topology is declared, not awaited"]);
    program("fn f(&self) {}", &["a topology is a function, not a method"]);
    program("fn f(mut self: Box<Self>, x: u8) {}", &["a topology is a function, not a method"]);
    program("fn f(x: self::X) {}", &[]);
    program("fn f(x: u8, t: u8) {}", &["`t` is the topology, which comes first"]);
    program("fn f(t: &Topology) {}", &["`t` is the topology: its type is"]);
}

#[test]
fn all_mistakes_at_once() {
    program(
        "fn f(t: u8) {
            spout __s = S, reads: x, tick: d, tasks: 0;
            for i in 0..3 { bolt b B, colour: 1; spout b = ; }
        }
        async fn g() { bolt b = B; }",
        &[
            "`t` is the topology: its type",
            "names that start with `__`",
            "a spout reads nothing",
            "`tick` is an option of bolts",
            "`tasks: 0`",
            "expected `=`",
            "there is no option `colour`",
            "bolt `b` reads nothing",
            "`b` is declared twice",
            "expected the spout itself",
            "a topology is declared, not awaited",
            "bolt `b` reads nothing",
        ],
    );
}

#[test]
fn what_is_missing_is_an_expression() {
    let expansion = expand("fn f() { bolt b = B; b.all(); }".parse().unwrap()).to_string();
    let expected = "let b = t . bolt (\"b\" , B , :: core :: compile_error ! (";
    assert!(expansion.contains(expected), "{expansion}");
    let braces =
        |tree: &TokenTree| matches!(tree, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
    let parsed: TokenStream = expansion.parse().unwrap();
    assert_eq!(parsed.into_iter().filter(braces).count(), 1, "no second report: {expansion}");
}
