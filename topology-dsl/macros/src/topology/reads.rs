//! Groupings by field: `split.by(word)` becomes `split.by(|tuple| &tuple.word)`.
//!
//! The field keeps its span and all that is added takes it, so that rustc says what is wrong with
//! a field - there is none of that name, it is no key - at the very word.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::LitStr;

use super::cursor::{each_ident, is_keyword, punct, refill};
use crate::mistakes::Mistakes;

/// Expands the groupings by field in an expression, wherever they are.
pub(crate) fn expand(value: TokenStream, mistakes: &mut Mistakes) -> TokenStream {
    let trees: Vec<TokenTree> = value.into_iter().collect();
    let mut output = TokenStream::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        if let [dot, TokenTree::Ident(method), TokenTree::Group(group), ..] = &trees[at..]
            && punct(dot, '.')
            && group.delimiter() == Delimiter::Parenthesis
            && let Some(call) = call(method, group, mistakes)
        {
            output.extend(quote!(#dot #call));
            at += 3;
            continue;
        }
        output.extend([match tree {
            TokenTree::Group(group) if groups_by(group) => {
                refill(group, expand(group.stream(), mistakes))
            }
            other => other.clone(),
        }]);
        at += 1;
    }
    output
}

/// Whether there may be anything to expand. What needs no change keeps the spans of its braces.
fn groups_by(group: &Group) -> bool {
    let mut found = false;
    each_ident(group.stream(), &mut |ident| {
        found |= ident == "by" || ident == "partial_by";
    });
    found
}

/// `by(word)` and `partial_by(word)`, expanded. `None` for every other method, and where the
/// argument is any expression but fields.
fn call(method: &Ident, group: &Group, mistakes: &mut Mistakes) -> Option<TokenStream> {
    if method != "by" && method != "partial_by" {
        return None;
    }
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let arguments = trees.split(|tree| punct(tree, ','));
    let mut fields = Vec::new();
    for argument in arguments.filter(|argument| !argument.is_empty()) {
        match Field::parse(argument, mistakes) {
            Some(field) => fields.push(field),
            None if fields.is_empty() => return None,
            None => {
                let message = format!(
                    "expected a field, as those before it; for a computed key write \
                     `{method}_key(|tuple, key| {{ .. }})`"
                );
                mistakes.at(argument[0].span(), message);
            }
        }
    }
    let (first, others) = fields.split_first()?;
    if others.is_empty() {
        let arguments = refill(group, first.closure());
        return Some(quote!(#method #arguments));
    }
    let by_key = Ident::new(&format!("{method}_key"), method.span());
    let key = composite(first, &fields);
    Some(quote_spanned!(method.span()=> #by_key(#key)))
}

/// A field, or a field of a field.
struct Field {
    path: TokenStream,
    span: Span,
}

impl Field {
    fn parse(trees: &[TokenTree], mistakes: &mut Mistakes) -> Option<Self> {
        if let [TokenTree::Literal(literal)] = trees {
            return Self::quoted(literal.clone().into(), mistakes);
        }
        let sound = trees.iter().enumerate().all(|(at, tree)| match tree {
            TokenTree::Punct(_) => at % 2 == 1 && punct(tree, '.'),
            TokenTree::Ident(ident) => at % 2 == 0 && !is_keyword(ident),
            TokenTree::Literal(_) => at % 2 == 0 && at > 0,
            TokenTree::Group(_) => false,
        });
        (sound && trees.len() % 2 == 1)
            .then(|| Self { path: trees.iter().cloned().collect(), span: trees[0].span() })
    }

    /// Other engines group by strings.
    fn quoted(literal: TokenTree, mistakes: &mut Mistakes) -> Option<Self> {
        let span = literal.span();
        let name: LitStr = syn::parse2(literal.into()).ok()?;
        let field: Ident = name.parse().ok()?;
        mistakes.at(span, format!("fields are named without quotes: `by({field})`"));
        Some(Self { path: quote!(#field), span })
    }

    fn closure(&self) -> TokenStream {
        let (tuple, path) = (Ident::new("tuple", self.span), &self.path);
        quote_spanned!(self.span=> |#tuple| &#tuple.#path)
    }
}

/// `|tuple, key| { key.add(&tuple.card).add(&tuple.day); }`
///
/// The variables need no hygiene of a macro, as nothing of the user's but fields comes after them.
/// With it, rustc would point at the whole macro where tokens of both kinds are one expression.
fn composite(first: &Field, fields: &[Field]) -> TokenStream {
    let (tuple, key) = (Ident::new("tuple", first.span), Ident::new("key", first.span));
    let add = fields.iter().map(|field| {
        let tuple = Ident::new("tuple", first.span.located_at(field.span));
        let path = &field.path;
        quote_spanned!(field.span=> .add(&#tuple.#path))
    });
    quote_spanned!(first.span=> |#tuple, #key| { #key #(#add)*; })
}

/// The sources among `edges` of which `is_forward` says that they are not there yet.
pub(crate) fn forward(edges: TokenStream, is_forward: &dyn Fn(&Ident) -> bool) -> Vec<Ident> {
    let trees: Vec<TokenTree> = edges.into_iter().collect();
    let mut found = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                found.extend(forward(group.stream(), is_forward));
            }
            TokenTree::Ident(ident) if is_forward(ident) => {
                let starts = at == 0 || punct(&trees[at - 1], ',');
                let ends = matches!(trees.get(at + 1), None | Some(TokenTree::Punct(_)));
                found.extend((starts && ends).then(|| ident.clone()));
            }
            _ => {}
        }
    }
    found
}
