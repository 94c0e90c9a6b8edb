//! The body of a function: finds our statements among plain Rust.
//!
//! A statement is ours if it starts with `spout` or `bolt` and another word. Two words in a row,
//! of which the first is no keyword, are no Rust, so that nothing of the user's is taken away:
//! variables, fields and methods may be called `spout` and `bolt`.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::{
    component::Component,
    cursor::{each_ident, is_ident, is_keyword, is_punct, punct, refill, text},
    emit::{self, Surroundings},
};
use crate::mistakes::Mistakes;

/// Expands one function.
pub(crate) struct Body<'a> {
    mistakes: &'a mut Mistakes,
    /// Every word so far, so that what is used before it is declared can be told from a variable.
    seen: BTreeSet<String>,
}

impl<'a> Body<'a> {
    pub(crate) fn new(mistakes: &'a mut Mistakes) -> Self {
        Self { mistakes, seen: BTreeSet::new() }
    }

    /// Takes note that this word may be bound.
    pub(crate) fn sees(&mut self, ident: &Ident) {
        self.seen.insert(text(ident));
    }

    /// Expands a group; only in braces do statements start.
    pub(crate) fn expand(&mut self, group: &Group) -> TokenTree {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        let braces = group.delimiter() == Delimiter::Brace;
        if !has_declaration(&trees) {
            each_ident(group.stream(), &mut |ident| self.sees(ident));
            return group.clone().into();
        }
        refill(group, self.statements(&trees, braces))
    }

    fn statements(&mut self, trees: &[TokenTree], braces: bool) -> TokenStream {
        let (mut output, mut declared) = (TokenStream::new(), BTreeSet::new());
        let (mut at, mut starts) = (0, braces);
        while let Some(tree) = trees.get(at) {
            let rest = &trees[at..];
            let attributes = if starts { attributes_len(rest) } else { 0 };
            if starts && is_declaration(&rest[attributes..]) {
                let (component, count) = Component::parse(rest, attributes, self.mistakes);
                output.extend(self.component(component, &rest[count..], &mut declared));
                at += count;
                continue;
            }
            if is_declaration(rest) && is_punct(&rest[2..], '=') {
                at += self.stray(rest, &trees[..at]);
                output.extend(empty_block(tree));
                continue;
            }
            let inner_attribute = starts && is_inner_attribute(rest);
            let count = if inner_attribute { 3 } else { 1 };
            output.extend(
                rest[..count].iter().enumerate().map(|(i, t)| self.plain(t, &trees[..at + i])),
            );
            starts = inner_attribute || (braces && ends_statement(tree));
            at += count;
        }
        output
    }

    /// A token that is not ours. What is in a group may be, unless it is another macro's.
    fn plain(&mut self, tree: &TokenTree, before: &[TokenTree]) -> TokenTree {
        match tree {
            TokenTree::Group(group) if is_macro_call(before) => {
                each_ident(group.stream(), &mut |ident| self.sees(ident));
                tree.clone()
            }
            TokenTree::Group(group) => self.expand(group),
            TokenTree::Ident(ident) => {
                self.sees(ident);
                tree.clone()
            }
            _ => tree.clone(),
        }
    }

    /// Expands one of our statements. `after` is the rest of the block.
    fn component(
        &mut self,
        component: Component,
        after: &[TokenTree],
        declared: &mut BTreeSet<String>,
    ) -> TokenStream {
        let name = text(&component.name);
        if component.choice("named").is_none() && !declared.insert(name.clone()) {
            let message = format!(
                "`{name}` is declared twice: rename one, or give it another name with `named:`"
            );
            self.mistakes.at(component.name.span(), message);
        }
        let component = component.map(|value| self.nested(value));
        let surroundings = Surroundings { seen: &self.seen, later: later_names(after), after };
        let output = emit::component(&component, &surroundings, self.mistakes);
        self.sees(&component.name);
        output
    }

    /// An expression of ours may hold blocks, and blocks may hold statements of ours.
    fn nested(&mut self, value: TokenStream) -> TokenStream {
        let trees: Vec<TokenTree> = value.into_iter().collect();
        let inner = BTreeSet::clone(&self.seen);
        let output = self.statements(&trees, false);
        self.seen = inner;
        output
    }

    /// A declaration where no statement can start. Returns its length; a block takes its place.
    fn stray(&mut self, rest: &[TokenTree], before: &[TokenTree]) -> usize {
        let keyword = &rest[0];
        let message =
            format!("`{keyword}` starts a statement: put the statement in a block `{{ .. }}`");
        self.mistakes.at(keyword.span(), message);
        let semicolon = rest.iter().position(|tree| punct(tree, ';'));
        // An arm of a match takes a block without one.
        let arm = before.last().is_some_and(|tree| punct(tree, '>'));
        semicolon.map_or(rest.len(), |at| at + usize::from(arm))
    }
}

/// Whether tokens begin as a statement of ours does: `bolt` and a word. Of Rust's own words only
/// one before a `=` can be a mistaken name; the others are Rust, as in `bolt as u64`.
pub(crate) fn is_declaration(trees: &[TokenTree]) -> bool {
    match trees {
        [keyword, TokenTree::Ident(name), rest @ ..] if is_keyword_of_ours(keyword) => {
            !is_keyword(name) || is_punct(rest, '=')
        }
        _ => false,
    }
}

/// `spout` or `bolt`.
pub(crate) fn is_keyword_of_ours(tree: &TokenTree) -> bool {
    is_ident(Some(tree), "spout") || is_ident(Some(tree), "bolt")
}

/// Whether there is anything to do. What needs no change keeps the spans of its braces.
fn has_declaration(trees: &[TokenTree]) -> bool {
    trees.iter().enumerate().any(|(at, tree)| match tree {
        TokenTree::Group(group) => has_declaration(&group.stream().into_iter().collect::<Vec<_>>()),
        _ => is_declaration(&trees[at..]),
    })
}

/// Number of tokens in the attributes that `trees` begin with.
fn attributes_len(trees: &[TokenTree]) -> usize {
    let mut count = 0;
    while let [hash, TokenTree::Group(group), ..] = &trees[count..]
        && punct(hash, '#')
        && group.delimiter() == Delimiter::Bracket
    {
        count += 2;
    }
    count
}

/// Whether `trees` begin with `#![..]`.
fn is_inner_attribute(trees: &[TokenTree]) -> bool {
    match trees {
        [hash, bang, TokenTree::Group(group), ..] => {
            punct(hash, '#') && punct(bang, '!') && group.delimiter() == Delimiter::Bracket
        }
        _ => false,
    }
}

fn ends_statement(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

/// Whether the group after these tokens belongs to a macro, as in `vec![..]`.
fn is_macro_call(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(name), bang] => punct(bang, '!') && !is_keyword(name),
        _ => false,
    }
}

/// Names that are declared in the same block, but not yet.
fn later_names(after: &[TokenTree]) -> BTreeSet<String> {
    let declarations = (0..after.len()).map(|at| &after[at..]).filter(|rest| is_declaration(rest));
    declarations
        .filter_map(|rest| match &rest[1] {
            TokenTree::Ident(name) => Some(text(name)),
            _ => None,
        })
        .collect()
}

fn empty_block(at: &TokenTree) -> TokenStream {
    quote::quote_spanned!(at.span()=> {})
}
