//! One statement of ours: `bolt count = Count::default(), tasks: 2, reads: split.by(word);`

use proc_macro2::{Ident, TokenStream, TokenTree};

use super::{
    block::is_declaration,
    cursor::{Cursor, is_ident, is_keyword, is_punct, punct, text},
    options::{self, Choice},
};
use crate::mistakes::{self, Mistakes};

/// What is being declared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Spout,
    Bolt,
}

impl Kind {
    /// The keyword, which is also the builder's method.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Spout => "spout",
            Self::Bolt => "bolt",
        }
    }
}

/// A statement, taken apart.
#[derive(Clone)]
pub(crate) struct Component {
    /// Attributes such as `#[cfg(..)]`, which are passed on.
    pub(crate) attributes: Vec<TokenTree>,
    pub(crate) kind: Kind,
    pub(crate) keyword: Ident,
    pub(crate) name: Ident,
    /// The spout or bolt itself.
    pub(crate) value: TokenStream,
    /// What was chosen for it, in the author's order.
    pub(crate) choices: Vec<Choice>,
}

impl Component {
    /// Takes the statement apart that `trees` begin with, after so many tokens of attributes.
    /// Returns it with its length.
    pub(crate) fn parse(
        trees: &[TokenTree],
        attributes: usize,
        mistakes: &mut Mistakes,
    ) -> (Self, usize) {
        let end = statement_end(trees, attributes);
        let (attributes, rest) = trees[..end].split_at(attributes);
        let (TokenTree::Ident(keyword), TokenTree::Ident(name)) = (&rest[0], &rest[1]) else {
            unreachable!("a declaration begins with two words");
        };
        let kind = if keyword == "spout" { Kind::Spout } else { Kind::Bolt };
        check_name(name, mistakes);
        let mut cursor = Cursor::new(&rest[2..], name.span());
        let value = value(&mut cursor, keyword, name, mistakes);
        let choices = options::parse(&mut cursor, kind, name, mistakes);
        let length = end - cursor.rest.len();
        let semicolon = is_punct(&trees[length..], ';');
        if !semicolon {
            mistakes.at(trees.get(length).map_or(cursor.span(), TokenTree::span), "expected `;`");
        }
        let component = Self {
            attributes: without_docs(attributes),
            kind,
            keyword: keyword.clone(),
            name: name.clone(),
            value,
            choices,
        };
        (component, length + usize::from(semicolon))
    }

    /// The component with other expressions.
    pub(crate) fn map(mut self, mut change: impl FnMut(TokenStream) -> TokenStream) -> Self {
        self.value = change(self.value);
        self.choices = self.choices.into_iter().map(|choice| choice.map(&mut change)).collect();
        self
    }

    /// The choice for an option.
    pub(crate) fn choice(&self, option: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.key == option)
    }
}

/// Where the statement ends at the latest: before its `;`, or where the next one starts.
fn statement_end(trees: &[TokenTree], attributes: usize) -> usize {
    let ends = |at: &usize| {
        let rest = &trees[*at..];
        punct(&rest[0], ';') || is_declaration(rest) && is_punct(&rest[2..], '=')
    };
    (attributes + 2..trees.len()).find(ends).unwrap_or(trees.len())
}

/// What a plan would refuse later, or could not be told apart.
fn check_name(name: &Ident, mistakes: &mut Mistakes) {
    let word = text(name);
    let message = if word == "_" {
        "a component needs a name: the plan, the log and the metrics show it".to_owned()
    } else if is_keyword(name) {
        format!("`{word}` is a word of Rust: choose another name")
    } else if word.starts_with("__") {
        "names that start with `__` are reserved for the engine".to_owned()
    } else if !word.is_ascii() {
        format!("`{word}` is no good name: use ASCII letters, digits and `_`")
    } else {
        return;
    };
    mistakes.at(name.span(), message);
}

/// The component itself, behind its `=`.
fn value(
    cursor: &mut Cursor<'_>,
    keyword: &Ident,
    name: &Ident,
    mistakes: &mut Mistakes,
) -> TokenStream {
    let at = cursor.span();
    if cursor.eat('=') {
        let at = cursor.span();
        let value = cursor.expression();
        if value.is_empty() {
            let message =
                format!("expected the {keyword} itself, as in `{keyword} {name} = Thing`");
            return mistakes::expression(at, message);
        }
        return value;
    }
    while matches!(cursor.rest.first(), Some(TokenTree::Punct(p)) if p.as_char() != ',') {
        cursor.take(1);
    }
    let message = format!("expected `=`, as in `{keyword} {name} = Thing`");
    let value = cursor.expression();
    if value.is_empty() {
        return mistakes::expression(at, message);
    }
    mistakes.at(at, message);
    value
}

/// Doc comments on a statement document nothing; rustc would warn about them.
fn without_docs(attributes: &[TokenTree]) -> Vec<TokenTree> {
    let kept = attributes.chunks(2).filter(|attribute| match attribute {
        [_, TokenTree::Group(group)] => {
            !is_ident(group.stream().into_iter().next().as_ref(), "doc")
        }
        _ => true,
    });
    kept.flatten().cloned().collect()
}
