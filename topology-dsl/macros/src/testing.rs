//! What the tests of expansions share.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Compares tokens, whatever their spacing.
#[track_caller]
pub(crate) fn assert_same(found: TokenStream, expected: &str) {
    let (found, expected) = (layout(found), layout(expected.parse().unwrap()));
    let different = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(found == expected, "{different:#?}\n\nexpands to:\n{found}");
}

/// One statement a line, one space between tokens, no comma at the end of a list.
fn layout(tokens: TokenStream) -> String {
    let mut words = Vec::new();
    flatten(tokens, &mut words);
    words.join(" ").replace(", )", ")").replace(", ]", "]").replace(';', ";\n")
}

fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    for tree in tokens {
        let TokenTree::Group(group) = tree else {
            words.push(tree.to_string());
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::None => ("", ""),
        };
        words.push(open.to_owned());
        flatten(group.stream(), words);
        words.push(close.to_owned());
    }
}

/// Messages of all `compile_error!`s.
pub(crate) fn messages(tokens: TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        if at > 1 && trees[at - 2].to_string() == "compile_error" {
            let message: syn::LitStr = syn::parse2(group.stream()).unwrap();
            found.push(message.value());
        } else {
            found.extend(messages(group.stream()));
        }
    }
    found
}
