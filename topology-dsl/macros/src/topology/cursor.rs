//! A walk over token trees, and the questions that are asked of them.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::{
    Expr,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
};

/// A walk over the tokens of one statement or list.
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a [TokenTree],
    /// The token before `rest`: where something is missing if `rest` is empty.
    last: Span,
}

impl<'a> Cursor<'a> {
    /// `before` is the span of the token before the first one.
    pub(crate) fn new(rest: &'a [TokenTree], before: Span) -> Self {
        Self { rest, last: before }
    }

    /// The next token's span, or the last one's at the end.
    pub(crate) fn span(&self) -> Span {
        self.rest.first().map_or(self.last, TokenTree::span)
    }

    pub(crate) fn is_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether the next token is this punctuation and not the beginning of a longer one.
    pub(crate) fn is(&self, c: char) -> bool {
        is_punct(self.rest, c)
    }

    pub(crate) fn eat(&mut self, c: char) -> bool {
        let found = self.is(c);
        if found {
            self.take(1);
        }
        found
    }

    /// Takes the next `count` tokens.
    pub(crate) fn take(&mut self, count: usize) -> &'a [TokenTree] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        if let Some(last) = taken.last() {
            self.last = last.span();
        }
        self.rest = rest;
        taken
    }

    pub(crate) fn ident(&mut self) -> Option<Ident> {
        let Some(TokenTree::Ident(ident)) = self.rest.first() else {
            return None;
        };
        self.take(1);
        Some(ident.clone())
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        let Some(TokenTree::Group(group)) = self.rest.first() else {
            return None;
        };
        if group.delimiter() != delimiter {
            return None;
        }
        self.take(1);
        Some(group.clone())
    }

    /// Takes an expression. One that is not Rust is taken up to the next comma: rustc will say
    /// what is wrong with it.
    pub(crate) fn expression(&mut self) -> TokenStream {
        let comma = self.rest.iter().position(|tree| punct(tree, ','));
        let count = expression_len(self.rest).or(comma).unwrap_or(self.rest.len());
        self.take(count).iter().cloned().collect()
    }
}

/// Number of tokens of the expression that `trees` begin with, if they do.
fn expression_len(trees: &[TokenTree]) -> Option<usize> {
    let rest = |input: ParseStream<'_>| {
        input.parse::<Expr>()?;
        Ok(input.parse::<TokenStream>()?.into_iter().count())
    };
    let rest = rest.parse2(trees.iter().cloned().collect()).ok()?;
    trees.len().checked_sub(rest)
}

/// Whether `trees` begin with this punctuation and not with a longer one: `::`, `==` and `=>` are
/// other tokens than `:` and `=`.
pub(crate) fn is_punct(trees: &[TokenTree], c: char) -> bool {
    match trees {
        [TokenTree::Punct(first), next, ..] if first.spacing() == Spacing::Joint => {
            first.as_char() == c
                && !(matches!(c, ':' | '=') && (punct(next, c) || punct(next, '>')))
        }
        [first, ..] => punct(first, c),
        [] => false,
    }
}

/// Whether the token is this punctuation, or begins a longer one with it.
pub(crate) fn punct(tree: &TokenTree, c: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c)
}

/// Whether the token is this identifier or keyword.
pub(crate) fn is_ident(tree: Option<&TokenTree>, text: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(ident)) if ident == text)
}

/// Whether Rust keeps the word for itself.
pub(crate) fn is_keyword(ident: &Ident) -> bool {
    syn::parse_str::<Ident>(&ident.to_string()).is_err()
}

/// The text of an identifier, `loop` for `r#loop`.
pub(crate) fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Calls `visit` with every identifier, those in groups included.
pub(crate) fn each_ident(trees: TokenStream, visit: &mut impl FnMut(&Ident)) {
    for tree in trees {
        match tree {
            TokenTree::Ident(ident) => visit(&ident),
            TokenTree::Group(group) => each_ident(group.stream(), visit),
            _ => {}
        }
    }
}

/// The group with other contents, spans kept.
pub(crate) fn refill(group: &Group, contents: TokenStream) -> TokenTree {
    let mut filled = Group::new(group.delimiter(), contents);
    filled.set_span(group.span());
    filled.into()
}
