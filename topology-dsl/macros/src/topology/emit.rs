//! What a statement of ours becomes: the builder's calls, as a person would write them.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

use super::{
    block::is_keyword_of_ours,
    component::{Component, Kind},
    cursor::{is_keyword, punct, text},
    options::{Choice, Value},
    reads,
};
use crate::mistakes::{self, Mistakes};

/// What is around a statement.
pub(crate) struct Surroundings<'a> {
    /// Words before it, any of which may be a variable.
    pub(crate) seen: &'a BTreeSet<String>,
    /// Components that are declared after it in the same block.
    pub(crate) later: BTreeSet<String>,
    /// The rest of the block.
    pub(crate) after: &'a [TokenTree],
}

/// `let count = t.bolt("count", Count::default(), split.by(..)).tasks(2);`
pub(crate) fn component(
    component: &Component,
    around: &Surroundings<'_>,
    mistakes: &mut Mistakes,
) -> TokenStream {
    let Component { attributes, keyword, name, value, .. } = component;
    let mut label = Literal::string(&text(name));
    label.set_span(name.span());
    let reads = (component.kind == Kind::Bolt).then(|| {
        let edges = edges(component, around, mistakes);
        quote_spanned!(keyword.span()=> , #edges)
    });
    let settings = component.choices.iter().map(setting);
    // The variable of a bolt that nobody reads is there for completion: the next statement that
    // is typed may read it.
    let unused = (!mentions(around.after, name))
        .then(|| quote_spanned!(keyword.span()=> #[allow(unused_variables)]));
    let variable = match is_keyword(name) {
        true => quote_spanned!(name.span()=> _),
        false => name.to_token_stream(),
    };
    quote_spanned! {keyword.span()=>
        #(#attributes)*
        #unused
        let #variable = t.#keyword(#label, #value #reads) #(#settings)*;
    }
}

/// Whether the rest of the block reads a name, before another component takes it over.
fn mentions(after: &[TokenTree], name: &Ident) -> bool {
    let mut taken = false;
    for (at, tree) in after.iter().enumerate() {
        match tree {
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                if mentions(&inner, name) {
                    return true;
                }
            }
            TokenTree::Ident(ident) if ident == name => {
                if at == 0 || !is_keyword_of_ours(&after[at - 1]) {
                    return true;
                }
                taken = true;
            }
            _ if taken && punct(tree, ';') => return false,
            _ => {}
        }
    }
    false
}

/// What the bolt reads.
fn edges(component: &Component, around: &Surroundings<'_>, mistakes: &mut Mistakes) -> TokenStream {
    let name = &component.name;
    let Some(Choice { value: Value::Expression(value), .. }) = component.choice("reads") else {
        let message = format!("bolt `{name}` reads nothing: add `reads: lines.shuffle()` or such");
        return mistakes::expression(name.span(), message);
    };
    let edges = reads::expand(value.clone(), mistakes);
    let is_forward = |word: &Ident| {
        let word = text(word);
        (around.later.contains(&word) || *name == word) && !around.seen.contains(&word)
    };
    let mut forward = reads::forward(edges.clone(), &is_forward).into_iter().map(|source| {
        let message = format!(
            "`{source}` is declared further down: tuples flow downwards; to close a loop, read \
             `let again = t.feedback(\"again\");` and say `again.from(&{source});` at the end"
        );
        mistakes::expression(source.span(), message)
    });
    match forward.next() {
        Some(first) => forward.fold(first, |all, next| quote!((#all, #next))),
        None => edges,
    }
}

/// `.tasks(2)`
fn setting(choice: &Choice) -> TokenStream {
    let key = &choice.key;
    match &choice.value {
        _ if key == "reads" => TokenStream::new(),
        Value::Nothing => quote_spanned!(key.span()=> .#key()),
        Value::Expression(value) => quote_spanned!(key.span()=> .#key(#value)),
        Value::Table(entries) => entries
            .iter()
            .map(|(name, value)| quote_spanned!(key.span()=> .#key(#name, #value)))
            .collect(),
    }
}
