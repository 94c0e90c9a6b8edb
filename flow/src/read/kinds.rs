//! What parameters can be: texts, numbers, durations, names of fields.

use std::{path::PathBuf, time::Duration};

use super::{
    document::{Item, Node},
    notes::{At, Span},
    params::{Param, Wrong, from_env},
};
use crate::shape::Kind;

impl Param for String {
    const KIND: &'static str = "a text";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match &node.value {
            Item::Text(text, _) => Ok(text.clone()),
            _ => Err(Wrong::Kind),
        }
    }
}

impl Param for PathBuf {
    const KIND: &'static str = "a path";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let text = String::read(node)?;
        match text.is_empty() {
            true => Err(Wrong::value(&node.span, "the path is empty; name a file")),
            false => Ok(text.into()),
        }
    }
}

/// Where to listen: a host and a port.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Address(pub(crate) String);

impl Param for Address {
    const KIND: &'static str = "a host and a port";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let text = String::read(node)?;
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(Self(text)),
            Some(_) => {
                let why = format!("`{text}` is no address; write one such as `127.0.0.1:8080`");
                Err(Wrong::value(&node.span, why))
            }
            None => {
                let why = format!("`{text}` has no port; write one, as in `{text}:8080`");
                Err(Wrong::value(&node.span, why))
            }
        }
    }
}

/// Where to send: the beginning of a URL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Url(pub(crate) String);

impl Param for Url {
    const KIND: &'static str = "a URL";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let text = String::read(node)?;
        if text.strip_prefix("http://").is_some_and(|rest| !rest.is_empty()) {
            return Ok(Self(text));
        }
        let why = if text.starts_with("https://") {
            format!(
                "`{text}` asks for encryption, which there is none of; send to a proxy with \
                 `http://`"
            )
        } else {
            format!("`{text}` is no address; write `http://host:port/path`")
        };
        Err(Wrong::value(&node.span, why))
    }
}

/// One path or several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paths(pub(crate) Vec<PathBuf>);

impl Param for Paths {
    const KIND: &'static str = "a path, or a list of them";

    fn read(node: &Node) -> Result<Self, Wrong> {
        one_or_many(node, PathBuf::read).map(Self)
    }
}

/// Texts with names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Texts(pub(crate) Vec<(String, String)>);

impl Param for Texts {
    const KIND: &'static str = "a table of texts";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::Table(table) = &node.value else { return Err(Wrong::Kind) };
        let text = |entry: &super::document::Entry| match &entry.node.value {
            Item::Text(text, _) => Ok((entry.name.value.clone(), text.clone())),
            other => {
                let why = format!("`{}` is {}; write a text", entry.name.value, other.kind());
                Err(Wrong::value(&entry.node.span, why))
            }
        };
        table.0.iter().map(text).collect::<Result<_, _>>().map(Self)
    }
}

impl Param for bool {
    const KIND: &'static str = "`true` or `false`";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match &node.value {
            Item::Bool(truth) => Ok(*truth),
            item => parsed(item, &node.span),
        }
    }
}

impl Param for u64 {
    const KIND: &'static str = "a whole number";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match &node.value {
            Item::Int(number) => u64::try_from(*number).map_err(|_| {
                Wrong::value(&node.span, format!("`{number}` is negative; write 0 or more"))
            }),
            item => parsed(item, &node.span),
        }
    }
}

/// A whole number above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Positive(pub(crate) u64);

impl Positive {
    /// The number as a size.
    pub(crate) fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Param for Positive {
    const KIND: &'static str = "a whole number above zero";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match u64::read(node)? {
            0 => Err(Wrong::value(&node.span, "it is 0; write 1 or more")),
            number => Ok(Self(number)),
        }
    }
}

impl Param for f64 {
    const KIND: &'static str = "a number";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match &node.value {
            Item::Float(number) => Ok(*number),
            Item::Int(number) => Ok(*number as f64),
            item => parsed(item, &node.span),
        }
    }
}

impl Param for Duration {
    const KIND: &'static str = "a duration";

    fn read(node: &Node) -> Result<Self, Wrong> {
        const UNITS: [(&str, u64); 5] =
            [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let Item::Text(text, _) = &node.value else { return Err(Wrong::Kind) };
        measured(text, &UNITS).map(Self::from_millis).ok_or_else(|| {
            let why =
                format!("`{text}` is no duration; write a number and `ms`, `s`, `m`, `h` or `d`");
            Wrong::value(&node.span, why)
        })
    }
}

/// A duration above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

impl Param for Period {
    const KIND: &'static str = "a duration above zero";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match Duration::read(node)? {
            Duration::ZERO => Err(Wrong::value(&node.span, "it is 0; write 1ms or more")),
            long => Ok(Self(long)),
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl Bytes {
    /// The number as a size.
    pub(crate) fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Param for Bytes {
    const KIND: &'static str = "a number of bytes, or a text such as \"64 MiB\"";

    fn read(node: &Node) -> Result<Self, Wrong> {
        const UNITS: [(&str, u64); 5] =
            [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1), ("", 1)];
        let Item::Text(text, _) = &node.value else {
            return Positive::read(node).map(|n| Self(n.0));
        };
        measured(text, &UNITS).filter(|bytes| *bytes > 0).map(Self).ok_or_else(|| {
            let why =
                format!("`{text}` is no number of bytes; write one, and `KiB`, `MiB` or `GiB`");
            Wrong::value(&node.span, why)
        })
    }
}

/// A whole number and its unit.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*size)
}

/// The name of a field, to be looked for when it is known what is read.
pub(crate) type Field = At<String>;

impl Param for Field {
    const KIND: &'static str = "the name of a field";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let value = String::read(node)?;
        Ok(At { value, span: node.span.clone() })
    }
}

/// Names of fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(pub(crate) Vec<Field>);

impl Param for Fields {
    const KIND: &'static str = "the name of a field, or a list of them";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let fields = one_or_many(node, Field::read)?;
        for (index, field) in fields.iter().enumerate() {
            if fields[..index].iter().any(|other| other.value == field.value) {
                let why = format!("`{}` is named twice; remove one", field.value);
                return Err(Wrong::value(&field.span, why));
            }
        }
        Ok(Self(fields))
    }
}

/// Fields to come, as `"name"` for a text or `"name: kind"`.
#[derive(Debug, Clone)]
pub(crate) struct Columns(pub(crate) Vec<(String, Kind)>);

impl Param for Columns {
    const KIND: &'static str = "a list of names, each with its kind unless it is text: `text`, \
        `int`, `float`, `bool`, `any`";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::List(items) = &node.value else { return Err(Wrong::Kind) };
        let mut columns: Vec<(String, Kind)> = Vec::new();
        for item in items {
            let Item::Text(text, _) = &item.value else { return Err(Wrong::Kind) };
            let (name, kind) = text.split_once(':').unwrap_or((text, "text"));
            let (name, kind) = (name.trim(), kind.trim());
            let Some(kind) = Kind::of(kind) else {
                let mend = super::suggest::suggest(kind, Kind::ALL.map(Kind::name));
                return Err(Wrong::value(&item.span, format!("unknown kind `{kind}`; {mend}")));
            };
            if name.is_empty() || columns.iter().any(|(other, _)| other == name) {
                let why = format!("`{text}` has no name of its own; each field needs one");
                return Err(Wrong::value(&item.span, why));
            }
            columns.push((name.to_owned(), kind));
        }
        if columns.is_empty() {
            return Err(Wrong::value(&node.span, "the list is empty; name at least one field"));
        }
        Ok(Self(columns))
    }
}

/// A list, or one item that stands for a list of one. It has at least one.
pub(crate) fn one_or_many<T>(
    node: &Node,
    read: impl Fn(&Node) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    match &node.value {
        Item::List(items) if items.is_empty() => {
            Err(Wrong::value(&node.span, "the list is empty; name at least one"))
        }
        Item::List(items) => items.iter().map(read).collect(),
        _ => read(node).map(|one| vec![one]),
    }
}

/// What comes from the environment is always text, so that it is parsed here.
fn parsed<T: Param + std::str::FromStr>(item: &Item, span: &Span) -> Result<T, Wrong> {
    let text = from_env(item).ok_or(Wrong::Kind)?;
    text.parse().map_err(|_| {
        Wrong::value(
            span,
            format!("the environment says `{text}`; set the variable to {}", T::KIND),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{super::document::parse_value, *};

    fn read<P: Param>(text: &str) -> Result<P, String> {
        P::read(&parse_value(text).expect("TOML")).map_err(|wrong| match wrong {
            Wrong::Kind => "kind".to_owned(),
            Wrong::Value(_, why) => why,
        })
    }

    #[test]
    fn durations_and_sizes_have_units() {
        for (text, ms) in [("\"250ms\"", 250), ("\"2 h\"", 7_200_000), ("\"1d\"", 86_400_000)] {
            assert_eq!(read(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["\"5\"", "\"5 parsecs\"", "\"-5s\"", "\"\"", "\"99999999999999999999d\""] {
            assert!(read::<Duration>(text).expect_err(text).contains("is no duration"));
        }
        assert_eq!(read::<Duration>("5"), Err("kind".to_owned()));
        assert_eq!(read("\"5s\""), Ok(Period(Duration::from_secs(5))));
        assert!(read::<Period>("\"0s\"").expect_err("zero").contains("1ms or more"));
        assert_eq!(read("\"64 MiB\""), Ok(Bytes(64 << 20)));
        assert_eq!(read("4096"), Ok(Bytes(4096)));
        assert!(read::<Bytes>("\"0\"").is_err());
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(read("7"), Ok(Positive(7)));
        assert!(read::<Positive>("0").expect_err("zero").contains("1 or more"));
        assert!(read::<u64>("-1").expect_err("negative").contains("0 or more"));
        assert_eq!(read::<u64>("\"7\""), Err("kind".to_owned()));
        assert_eq!(read("2"), Ok(2.0));
    }

    #[test]
    fn columns_have_kinds() {
        let columns = read::<Columns>("[\"a\", \"b: int\"]").expect("two");
        assert_eq!(columns.0, [("a".to_owned(), Kind::Text), ("b".to_owned(), Kind::Int)]);
        assert!(read::<Columns>("[\"a: nit\"]").expect_err("kind").contains("did you mean `int`"));
        assert!(read::<Columns>("[\"a\", \"a\"]").is_err());
        assert!(read::<Columns>("[]").is_err());
        assert!(read::<Fields>("[\"a\", \"a\"]").is_err());
    }

    #[test]
    fn what_comes_from_the_environment_may_be_a_number() {
        let node = |text: &str| Node { value: Item::Text(text.to_owned(), true), span: 0..1 };
        assert_eq!(u64::read(&node(" 8 ")).ok(), Some(8));
        assert_eq!(bool::read(&node("true")).ok(), Some(true));
        let Err(Wrong::Value(_, why)) = u64::read(&node("x")) else { panic!("no number") };
        assert_eq!(why, "the environment says `x`; set the variable to a whole number");
    }
}
