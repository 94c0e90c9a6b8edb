//! The functions inside of `topology!`.
//!
//! Only the first parameter is added and the body expanded; the rest of the head is plain Rust.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::{
    block::Body,
    cursor::{Cursor, each_ident, is_ident, is_punct, punct, refill},
};
use crate::mistakes::Mistakes;

/// Expands `topology! { .. }`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = input.into_iter().collect();
    let (mut output, mut mistakes) = (TokenStream::new(), Mistakes::default());
    for function in trees.split_inclusive(|tree| brace(tree).is_some()) {
        output.extend(expand_function(function, &mut mistakes));
    }
    output.extend(mistakes.into_tokens());
    output
}

fn brace(tree: &TokenTree) -> Option<&Group> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

/// Expands tokens up to and including a body.
fn expand_function(trees: &[TokenTree], mistakes: &mut Mistakes) -> TokenStream {
    let [first, .., last] = trees else {
        for tree in trees {
            expected_function(tree, mistakes);
        }
        return TokenStream::new();
    };
    let Some(keyword) = trees.iter().position(|tree| is_ident(Some(tree), "fn")) else {
        expected_function(first, mistakes);
        return TokenStream::new();
    };
    let Some(body) = brace(last) else {
        let message = "expected the body of the function: `{ spout lines = ..; .. }`";
        mistakes.at(last.span(), message);
        return TokenStream::new();
    };
    let head = &trees[..trees.len() - 1];
    let mut output = TokenStream::new();
    for tree in &head[..keyword] {
        if is_ident(Some(tree), "async") {
            mistakes.at(tree.span(), "a topology is declared, not awaited: remove `async`");
        } else {
            output.extend([tree.clone()]);
        }
    }
    output.extend(signature(&head[keyword..], mistakes));
    let mut inside = Body::new(mistakes);
    each_ident(output.clone(), &mut |ident| inside.sees(ident));
    output.extend([inside.expand(body)]);
    output
}

fn expected_function(tree: &TokenTree, mistakes: &mut Mistakes) {
    let message = "expected a function: `topology! { pub fn word_count(path: PathBuf) { .. } }`";
    mistakes.at(tree.span(), message);
}

/// From `fn` to the body, with the first parameter added. What is no signature is left to rustc.
fn signature(trees: &[TokenTree], mistakes: &mut Mistakes) -> TokenStream {
    let Some((at, group)) = parameters(trees) else {
        return trees.iter().cloned().collect();
    };
    let [keyword, name, ..] = trees else {
        return trees.iter().cloned().collect();
    };
    // Shown at the name, visible where `fn` was written: the name may come from a macro's caller.
    let span = keyword.span().located_at(name.span());
    let parameters = refill(group, add_topology(group, span, mistakes));
    let (before, after) = (&trees[..at], &trees[at + 1..]);
    before.iter().cloned().chain([parameters]).chain(after.iter().cloned()).collect()
}

/// The group of parameters: the first parentheses that are outside of `<..>`.
fn parameters(trees: &[TokenTree]) -> Option<(usize, &Group)> {
    let mut depth = 0;
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            tree if punct(tree, '<') => depth += 1,
            tree if punct(tree, '>') => depth -= i32::from(at == 0 || !punct(&trees[at - 1], '-')),
            TokenTree::Group(group) if depth == 0 && is_parameters(group) => {
                return Some((at, group));
            }
            _ => {}
        }
    }
    None
}

fn is_parameters(group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis
}

/// The parameters, after `t: &mut ::tormenta::Topology` unless the author wrote `t` himself, as
/// he must for a function that is generic over its engine.
fn add_topology(group: &Group, span: Span, mistakes: &mut Mistakes) -> TokenStream {
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let rest = after_receiver(&trees, mistakes);
    let mut rest: Vec<TokenTree> = rest.to_vec();
    let t =
        (0..rest.len()).find(|at| is_ident(rest.get(*at), "t") && is_punct(&rest[at + 1..], ':'));
    if let Some(at) = t {
        if !rest[..at].iter().any(|tree| punct(tree, ',')) {
            return given(&rest, at + 2, mistakes);
        }
        let message = "`t` is the topology, which comes first: rename this parameter, or write \
                       `t: &mut Topology` as the first";
        mistakes.at(rest[at].span(), message);
        rest[at] = Ident::new("_", rest[at].span()).into();
    }
    let comma = (!rest.is_empty()).then(|| quote_spanned!(span=> ,));
    quote_spanned!(span=> t: &mut ::tormenta::Topology #comma #(#rest)*)
}

/// The parameters with an explicit `t`, whose type begins at a token.
fn given(parameters: &[TokenTree], ty: usize, mistakes: &mut Mistakes) -> TokenStream {
    let (before, ty) = parameters.split_at(ty);
    let mut cursor = Cursor::new(ty, before[0].span());
    let span = cursor.span();
    let by_reference = cursor.eat('&');
    if cursor.eat('\'') {
        cursor.ident();
    }
    if by_reference && is_ident(cursor.rest.first(), "mut") {
        return parameters.iter().cloned().collect();
    }
    mistakes.at(span, "`t` is the topology: its type is `&mut Topology<..>`");
    let rest = cursor.rest;
    quote_spanned!(span=> #(#before)* &mut #(#rest)*)
}

/// The parameters without `self`, which is refused.
fn after_receiver<'a>(trees: &'a [TokenTree], mistakes: &mut Mistakes) -> &'a [TokenTree] {
    let end = trees.iter().position(|tree| punct(tree, ','));
    let first = &trees[..end.unwrap_or(trees.len())];
    let Some(at) = first.iter().position(|tree| is_ident(Some(tree), "self")) else {
        return trees;
    };
    let path =
        matches!(first.get(at + 1), Some(TokenTree::Punct(_))) && !is_punct(&first[at + 1..], ':');
    if path {
        return trees;
    }
    mistakes.at(trees[at].span(), "a topology is a function, not a method: remove `self`");
    end.map_or(&[], |end| &trees[end + 1..])
}
