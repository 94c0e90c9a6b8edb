//! The columns of one file, and which of them the tuple wants.

use csv::{ByteRecord, DeserializeErrorKind, ErrorKind};
use serde::de::DeserializeOwned;

use super::{fit::fit, parser::Parser};

/// Letters of a field or a name that are shown in a message, and names.
const LETTERS_SHOWN_MAX: usize = 40;
const NAMES_SHOWN_MAX: usize = 32;

/// How rows of a file become tuples.
pub(crate) struct Table {
    /// Fields that every row has.
    width: usize,
    /// Names of the columns that are wanted; `None` if columns go by their place.
    names: Option<ByteRecord>,
    /// Where they are.
    picked: Vec<usize>,
    /// The fields of the present row that are wanted. Used again and again.
    row: ByteRecord,
}

impl Table {
    /// A table with these columns.
    ///
    /// # Errors
    /// When they are not what the type wants, in words that go after the name of the file.
    pub(crate) fn named<T: DeserializeOwned>(columns: &[String]) -> Result<Self, String> {
        let there: Vec<&str> = columns.iter().map(String::as_str).collect();
        let fit = fit::<T>(&there);
        if !fit.missing.is_empty() {
            let (s, missing) = (if fit.missing.len() > 1 { "s" } else { "" }, quoted(&fit.missing));
            let columns = quoted(&there);
            return Err(format!(
                "has no column{s} {missing}; its columns are {columns}: rename them or the fields, \
                 or give the names with `columns` if the file has no header"
            ));
        }
        if let Some(refused) = fit.refused {
            let refused = escaped(&refused);
            return Err(format!("has {refused}; remove or rename the column"));
        }
        let wanted = |name: &str| fit.fields.is_none_or(|fields| fields.contains(&name));
        let picked: Vec<usize> = (0..there.len()).filter(|index| wanted(there[*index])).collect();
        let names = picked.iter().map(|index| there[*index]).collect::<Vec<_>>();
        let row = ByteRecord::new();
        Ok(Self { width: there.len(), names: Some(ByteRecord::from(names)), picked, row })
    }

    /// A table of so many columns that go by their place.
    ///
    /// # Errors
    /// When there are fewer than the type has fields.
    pub(crate) fn placed<T: DeserializeOwned>(width: usize) -> Result<Self, String> {
        let fields = fit::<T>(&[]).fields.unwrap_or_default();
        if width < fields.len() {
            return Err(format!(
                "has {width} columns where {} are wanted: {}; check the delimiter",
                fields.len(),
                quoted(fields)
            ));
        }
        let picked = (0..width).collect();
        Ok(Self { width, names: None, picked, row: ByteRecord::new() })
    }

    /// The present row of the parser as a tuple.
    ///
    /// # Errors
    /// When it is none, in words.
    #[inline]
    pub(crate) fn tuple<T: DeserializeOwned>(&mut self, parser: &Parser) -> Result<T, String> {
        if parser.fields() != self.width {
            return Err(format!("{} fields where {} are wanted", parser.fields(), self.width));
        }
        self.row.clear();
        for index in &self.picked {
            self.row.push_field(parser.field(*index));
        }
        self.row.deserialize(self.names.as_ref()).map_err(|error| self.explain(&error))
    }

    #[cold]
    fn explain(&self, error: &csv::Error) -> String {
        let ErrorKind::Deserialize { err, .. } = error.kind() else {
            return error.to_string();
        };
        let why = match err.kind() {
            DeserializeErrorKind::Message(why) | DeserializeErrorKind::Unsupported(why) => {
                why.clone()
            }
            kind => kind.to_string(),
        };
        let Some(field) = err.field().and_then(|field| usize::try_from(field).ok()) else {
            return escaped(&why);
        };
        let name = match self.names.as_ref().and_then(|names| names.get(field)) {
            Some(name) => format!("column `{}`", shown(&String::from_utf8_lossy(name))),
            None => format!("column {}", field + 1),
        };
        let text = String::from_utf8_lossy(self.row.get(field).unwrap_or_default());
        format!("{name} is `{}`: {}", shown(&text), escaped(&why))
    }
}

fn quoted(names: &[&str]) -> String {
    let first = names.iter().take(NAMES_SHOWN_MAX).map(|name| format!("`{}`", shown(name)));
    let text = first.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_SHOWN_MAX) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// The beginning of a text from a file.
fn shown(text: &str) -> String {
    match text.char_indices().nth(LETTERS_SHOWN_MAX) {
        Some((end, _)) => escaped(&text[..end]) + "..",
        None => escaped(text),
    }
}

/// A file may hold what a terminal would obey.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => plain.extend(letter.escape_debug()),
            false => plain.push(letter),
        }
    }
    plain
}
