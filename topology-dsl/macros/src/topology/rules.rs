//! The options that there are, and what to say of those that there are not.

use proc_macro2::Ident;

use super::{component::Kind, cursor::text};

/// What an option takes, with an example where it takes something.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    Nothing,
    Value(&'static str),
    /// A number of which zero makes no sense.
    Count(&'static str),
    /// `{ key: value, .. }`
    Table,
}

/// Name, for which kind if not for both, and what it takes. Each is a method of the handle,
/// `reads` excepted.
const OPTIONS: [(&str, Option<Kind>, Takes); 15] = [
    ("reads", Some(Kind::Bolt), Takes::Value("lines.shuffle()")),
    ("tasks", None, Takes::Count("4")),
    ("named", None, Takes::Value("format!(\"count-{region}\")")),
    ("config", None, Takes::Table),
    ("blocking", None, Takes::Nothing),
    ("fuse", None, Takes::Value("false")),
    ("tick", Some(Kind::Bolt), Takes::Value("Duration::from_secs(1)")),
    ("concurrent", Some(Kind::Bolt), Takes::Count("16")),
    ("concurrent_unordered", Some(Kind::Bolt), Takes::Count("16")),
    ("execute_timeout", Some(Kind::Bolt), Takes::Value("Duration::from_secs(5)")),
    ("hold_timeout", Some(Kind::Bolt), Takes::Value("Duration::from_secs(60)")),
    ("replaying", Some(Kind::Spout), Takes::Value("Retry::default()")),
    ("untracked", Some(Kind::Spout), Takes::Nothing),
    ("pending_max", Some(Kind::Spout), Takes::Count("1024")),
    ("message_timeout", Some(Kind::Spout), Takes::Value("Duration::from_secs(30)")),
];

/// Words of other engines for what we have.
const TRANSLATIONS: [(&str, &str); 5] = [
    ("parallelism", "tasks"),
    ("parallelism_hint", "tasks"),
    ("workers", "tasks"),
    ("from", "reads"),
    ("inputs", "reads"),
];

/// For which kind an option is, if not for both, and what it takes.
pub(crate) fn rule(key: &str) -> Option<(Option<Kind>, Takes)> {
    OPTIONS.iter().find(|(name, ..)| *name == key).map(|(_, kind, takes)| (*kind, *takes))
}

/// An option of spouts on a bolt, or the other way round.
pub(crate) fn wrong_kind(key: &Ident, kind: Kind, name: &Ident) -> String {
    match kind {
        Kind::Spout if key == "reads" => {
            format!("a spout reads nothing, tuples begin there: make `{name}` a bolt, or leave it")
        }
        Kind::Spout => format!("`{key}` is an option of bolts, and `{name}` is a spout"),
        Kind::Bolt => format!("`{key}` is an option of spouts, and `{name}` is a bolt"),
    }
}

/// An option that there is not, and the one that was meant.
pub(crate) fn unknown(key: &Ident, kind: Kind) -> String {
    let names = OPTIONS.iter().filter(|(_, only, _)| only.is_none_or(|only| only == kind));
    let names: Vec<&str> = names.map(|(name, ..)| *name).collect();
    let key = text(key);
    let translation = TRANSLATIONS.iter().find(|(word, _)| *word == key).map(|(_, name)| *name);
    let near = names.iter().map(|name| (distance(&key, name), *name)).min();
    let near = near.filter(|(distance, name)| *distance <= name.len().div_ceil(3));
    match translation.or(near.map(|(_, name)| name)) {
        Some(name) => format!("there is no option `{key}`: did you mean `{name}`?"),
        None => {
            let (word, names) = (kind.word(), names.join("`, `"));
            format!("there is no option `{key}`: a {word} takes `{names}`")
        }
    }
}

/// Edit distance: letters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
