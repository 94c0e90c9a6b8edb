//! The value of `config`: `{ key: value, "dotted.key": value }`.

use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use syn::LitStr;

use super::cursor::{Cursor, punct, text};
use crate::mistakes::{self, Mistakes};

/// A key, as the string literal that the builder takes, and its value.
pub(crate) type Entry = (Literal, TokenStream);

/// Takes the table.
pub(crate) fn parse(
    cursor: &mut Cursor<'_>,
    option: &Ident,
    mistakes: &mut Mistakes,
) -> Vec<Entry> {
    let at = cursor.span();
    let Some(group) = cursor.group(Delimiter::Brace) else {
        cursor.expression();
        return missing(option, at, mistakes);
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut cursor = Cursor::new(&trees, group.span_close());
    let mut entries: Vec<Entry> = Vec::new();
    while !cursor.is_end() {
        if let Some((key, value)) = entry(&mut cursor, mistakes) {
            if entries.iter().any(|(earlier, _)| earlier.to_string() == key.to_string()) {
                mistakes.at(key.span(), format!("{key} is set twice"));
            }
            entries.push((key, value));
        }
        if !cursor.is_end() && !cursor.eat(',') {
            mistakes.at(cursor.span(), "expected `,`");
            cursor.take(1);
        }
    }
    entries
}

/// Says what should be there.
pub(crate) fn missing(option: &Ident, at: Span, mistakes: &mut Mistakes) -> Vec<Entry> {
    let message = format!("expected a table, as in `{option}: {{ rate_max: 100 }}`");
    mistakes.at(at, message);
    Vec::new()
}

fn entry(cursor: &mut Cursor<'_>, mistakes: &mut Mistakes) -> Option<Entry> {
    let at = cursor.span();
    let Some(key) = key(cursor) else {
        mistakes.at(at, "expected a key: a word or a string");
        let comma = cursor.rest.iter().position(|tree| punct(tree, ','));
        cursor.take(comma.unwrap_or(usize::MAX));
        return None;
    };
    if !cursor.eat(':') {
        mistakes.at(cursor.span(), format!("expected `:` after {key}"));
        cursor.eat('=');
    }
    let at = cursor.span();
    let value = cursor.expression();
    if value.is_empty() {
        return Some((key.clone(), mistakes::expression(at, format!("{key} needs a value"))));
    }
    Some((key, value))
}

fn key(cursor: &mut Cursor<'_>) -> Option<Literal> {
    if let Some(ident) = cursor.ident() {
        let mut key = Literal::string(&text(&ident));
        key.set_span(ident.span());
        return Some(key);
    }
    let first = cursor.rest.first()?.clone();
    let key: LitStr = syn::parse2(first.into()).ok()?;
    cursor.take(1);
    Some(key.token())
}
