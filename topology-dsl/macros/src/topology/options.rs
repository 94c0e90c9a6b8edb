//! What may follow a component: `tasks: 4, blocking, reads: lines.shuffle()`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::LitInt;

use super::{
    component::Kind,
    cursor::{Cursor, is_keyword, is_punct, text},
    rules::{Takes, rule, unknown, wrong_kind},
    table::{self, Entry},
};
use crate::mistakes::{self, Mistakes};

/// An option that was chosen.
#[derive(Clone)]
pub(crate) struct Choice {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// The value of an option.
#[derive(Clone)]
pub(crate) enum Value {
    Nothing,
    Expression(TokenStream),
    Table(Vec<Entry>),
}

impl Choice {
    /// The option with other expressions.
    pub(crate) fn map(mut self, change: &mut impl FnMut(TokenStream) -> TokenStream) -> Self {
        self.value = match self.value {
            Value::Nothing => Value::Nothing,
            Value::Expression(value) => Value::Expression(change(value)),
            Value::Table(entries) => {
                Value::Table(entries.into_iter().map(|(key, value)| (key, change(value))).collect())
            }
        };
        self
    }
}

/// Takes options up to the end, or up to what must be the next statement.
pub(crate) fn parse(
    cursor: &mut Cursor<'_>,
    kind: Kind,
    name: &Ident,
    mistakes: &mut Mistakes,
) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    while !cursor.is_end() {
        if !cursor.eat(',') {
            match cursor.rest.first() {
                _ if starts_option(cursor.rest) => mistakes.at(cursor.span(), "expected `,`"),
                Some(TokenTree::Ident(_)) => break,
                _ => {
                    mistakes.at(cursor.span(), "expected `,` or `;`");
                    cursor.take(1);
                    cursor.expression();
                    continue;
                }
            }
        }
        if matches!(cursor.rest.first(), Some(TokenTree::Ident(word)) if is_keyword(word)) {
            break;
        }
        let Some(choice) = option(cursor, kind, name, mistakes) else {
            continue;
        };
        if choices.iter().any(|earlier| earlier.key == choice.key) {
            mistakes.at(choice.key.span(), format!("`{}` is given twice", choice.key));
        } else {
            choices.push(choice);
        }
    }
    choices
}

/// Whether tokens begin with `key:`, or with the name of an option.
fn starts_option(trees: &[TokenTree]) -> bool {
    match trees {
        [TokenTree::Ident(key), rest @ ..] => is_punct(rest, ':') || rule(&text(key)).is_some(),
        _ => false,
    }
}

/// Takes one option, if there is one.
fn option(
    cursor: &mut Cursor<'_>,
    kind: Kind,
    name: &Ident,
    mistakes: &mut Mistakes,
) -> Option<Choice> {
    if cursor.is_end() {
        return None;
    }
    let assigned = cursor.rest.len() > 1 && is_punct(&cursor.rest[1..], '=');
    if !assigned && !starts_option(cursor.rest) && !is_lonely_word(cursor.rest) {
        mistakes.at(cursor.span(), "expected an option, such as `tasks: 4`");
        cursor.expression();
        return None;
    }
    let key = cursor.ident()?;
    let Some((only, takes)) = rule(&text(&key)) else {
        mistakes.at(key.span(), unknown(&key, kind));
        skip_value(cursor);
        return None;
    };
    if only.is_some_and(|only| only != kind) {
        mistakes.at(key.span(), wrong_kind(&key, kind, name));
        skip_value(cursor);
        return None;
    }
    let value = match takes {
        Takes::Nothing => nothing(cursor, &key, mistakes),
        Takes::Value(example) => Value::Expression(expression(cursor, &key, example, mistakes)),
        Takes::Count(example) => {
            let value = expression(cursor, &key, example, mistakes);
            check_count(&value, &key, mistakes);
            Value::Expression(value)
        }
        Takes::Table => Value::Table(match colon(cursor, &key, mistakes) {
            true => table::parse(cursor, &key, mistakes),
            false => table::missing(&key, key.span(), mistakes),
        }),
    };
    Some(Choice { key, value })
}

/// Whether tokens begin with a word that stands alone between commas.
fn is_lonely_word(trees: &[TokenTree]) -> bool {
    match trees {
        [TokenTree::Ident(_)] => true,
        [TokenTree::Ident(_), rest @ ..] => is_punct(rest, ','),
        _ => false,
    }
}

fn nothing(cursor: &mut Cursor<'_>, key: &Ident, mistakes: &mut Mistakes) -> Value {
    if cursor.is(':') || cursor.is('=') {
        let at = cursor.span();
        skip_value(cursor);
        mistakes.at(at, format!("`{key}` takes no value: leave it out where it shall not be"));
    }
    Value::Nothing
}

/// The value behind a key.
fn expression(
    cursor: &mut Cursor<'_>,
    key: &Ident,
    example: &str,
    mistakes: &mut Mistakes,
) -> TokenStream {
    let found = colon(cursor, key, mistakes);
    let at = if found { cursor.span() } else { key.span() };
    let value = if found { cursor.expression() } else { TokenStream::new() };
    if value.is_empty() {
        return mistakes::expression(
            at,
            format!("`{key}` needs a value, as in `{key}: {example}`"),
        );
    }
    value
}

/// Takes the `:`, or what stands in its place. False where the option ends here.
fn colon(cursor: &mut Cursor<'_>, key: &Ident, mistakes: &mut Mistakes) -> bool {
    if cursor.eat(':') {
        return true;
    }
    if cursor.is_end() || cursor.is(',') {
        return false;
    }
    mistakes.at(cursor.span(), format!("expected `:` after `{key}`"));
    cursor.eat('=');
    true
}

fn skip_value(cursor: &mut Cursor<'_>) {
    if cursor.eat(':') || cursor.eat('=') {
        cursor.expression();
    }
}

fn check_count(value: &TokenStream, key: &Ident, mistakes: &mut Mistakes) {
    let Ok(number) = syn::parse2::<LitInt>(value.clone()) else {
        return;
    };
    if number.base10_digits() == "0" {
        mistakes.at(number.span(), format!("`{key}: 0` would do nothing: at least 1"));
    }
}
