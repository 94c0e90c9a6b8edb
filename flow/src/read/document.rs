//! TOML as a tree that knows where everything stands.

use toml::de::{DeTable, DeValue};

use super::{
    env::{Lookup, substitute},
    notes::{At, Notes, Span},
};

/// A value and where it stands.
pub(crate) type Node = At<Item>;

/// What TOML can say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// What was left out, and has no default. TOML cannot say it.
    Nothing,
    /// Text; and whether a part of it comes from the environment.
    Text(String, bool),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A date or a time, as it is written.
    Time(String),
    List(Vec<Node>),
    Table(Table),
}

impl Item {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text(..) => "text",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a boolean",
            Self::Time(_) => "a time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Names and values, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table(pub(crate) Vec<Entry>);

/// A name, its value, and whether somebody asked for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: At<String>,
    pub(crate) node: Node,
}

impl Table {
    /// Takes the value of this name out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Entry> {
        let at = self.0.iter().position(|entry| entry.name.value == name)?;
        Some(self.0.remove(at))
    }
}

/// Reads a text. What is not TOML is noted, the first of each line: what follows from it would only
/// confuse. `None` if there is such a thing, because nobody knows what was meant.
pub(crate) fn parse(text: &str, env: Lookup<'_>, notes: &mut Notes) -> Option<Table> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut lines = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let what = text.get(span.clone()).unwrap_or_default();
        if error.message().contains("duplicate key") {
            let why = format!("`{what}` is declared twice; rename or remove one of the two");
            notes.add(&span, why);
            continue;
        }
        let line = text.get(..span.start).unwrap_or(text).matches('\n').count();
        if !lines.contains(&line) {
            notes.add(&span, in_words(error.message()));
            lines.push(line);
        }
    }
    lines.is_empty().then(|| read_table(table.get_ref(), env, notes))
}

/// The parser's words.
fn in_words(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    format!("this is no TOML: {first}; see toml.io for what may stand here")
}

fn read_table(table: &DeTable<'_>, env: Lookup<'_>, notes: &mut Notes) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(name, value)| Entry {
            name: At { value: name.get_ref().to_string(), span: name.span() },
            node: Node {
                value: read(value.get_ref(), &value.span(), env, notes),
                span: value.span(),
            },
        })
        .collect();
    entries.sort_by_key(|entry| entry.name.span.start);
    Table(entries)
}

fn read(value: &DeValue<'_>, span: &Span, env: Lookup<'_>, notes: &mut Notes) -> Item {
    match value {
        DeValue::String(text) => match substitute(text, env) {
            Ok((text, is_from_env)) => Item::Text(text, is_from_env),
            Err(why) => {
                notes.add_unknown(span, why);
                Item::Text(text.to_string(), true)
            }
        },
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Item::Int(number),
            Err(_) => {
                let range = format!("{} to {}", i64::MIN, i64::MAX);
                notes.add(span, format!("`{}` does not fit; write {range}", digits.as_str()));
                Item::Int(1)
            }
        },
        // Rust reads all that TOML allows here.
        DeValue::Float(number) => Item::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Item::Bool(*truth),
        DeValue::Datetime(time) => Item::Time(time.to_string()),
        DeValue::Array(items) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| Node {
                value: read(item.get_ref(), &item.span(), env, &mut *notes),
                span: item.span(),
            };
            Item::List(items.iter().map(item).collect())
        }
        DeValue::Table(table) => Item::Table(read_table(table, env, notes)),
    }
}

/// One value, as it would stand behind a `=`. For defaults and examples, which we write.
pub(crate) fn parse_value(text: &str) -> Option<Node> {
    let mut notes = Notes::default();
    let table = parse(&format!("value = {text}"), &|_| None, &mut notes);
    let value = table?.take("value").map(|entry| entry.node);
    if notes.is_empty() { value } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(text: &str) -> (Option<Table>, Vec<usize>, String) {
        let mut notes = Notes::default();
        let table = parse(text, &|_| None, &mut notes);
        let error = notes.into_result("f", text).expect_err("some");
        (table, error.mistakes.iter().map(|mistake| mistake.line).collect(), error.to_string())
    }

    #[test]
    fn all_slips_of_the_pen_are_found() {
        let (table, lines, _) = slips("a = \nb = 1\nb = 2\nc = ]\n");
        assert_eq!((table, lines), (None, vec![1, 3, 4]));
    }

    #[test]
    fn what_is_declared_twice_is_read_once() {
        let (table, lines, text) = slips("b = 1\n[c]\n[c]\nd = 99999999999999999999\n");
        assert_eq!(lines, [3, 4], "{text}");
        assert!(text.contains("`c` is declared twice"), "{text}");
        assert!(table.is_some_and(|table| table.0.iter().any(|e| e.name.value == "b")));
    }

    #[test]
    fn a_value_by_itself() {
        let node = parse_value("[1, 0x10, -2.5, true, \"a\", {b = 1979-05-27}]").expect("TOML");
        let Item::List(items) = node.value else { panic!("a list") };
        let kinds: Vec<_> = items.iter().map(|item| item.value.kind()).collect();
        assert_eq!(kinds, ["an integer", "an integer", "a float", "a boolean", "text", "a table"]);
        assert_eq!(items[1].value, Item::Int(16));
        assert_eq!(parse_value("oops"), None);
    }
}
