//! Which fields, and under which names.

use super::{
    document::{Item, Node},
    kinds::Field,
    notes::At,
    params::{Param, Wrong},
};

/// A field of rows to come.
#[derive(Debug, Clone)]
pub(crate) struct Rename {
    pub(crate) name: String,
    pub(crate) of: Origin,
}

/// What a field is made of.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Field(Field),
    /// The same text in each row.
    Text(String),
}

/// Fields to come, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Renames(pub(crate) Vec<Rename>);

impl Param for Renames {
    const KIND: &'static str =
        "a list of fields, `\"name\"`, `\"new = old\"` or `\"new = 'a text'\"`";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::List(items) = &node.value else { return Err(Wrong::Kind) };
        let mut renames: Vec<Rename> = Vec::new();
        for item in items {
            let text = String::read(item)?;
            let (name, of) = text.split_once('=').unwrap_or((&text, &text));
            let (name, of) = (name.trim().to_owned(), of.trim());
            if name.is_empty() || renames.iter().any(|other| other.name == name) {
                let why = format!("`{text}` gives a field no name of its own; each needs one");
                return Err(Wrong::value(&item.span, why));
            }
            let of = match of.strip_prefix('\'') {
                None => Origin::Field(At { value: of.to_owned(), span: item.span.clone() }),
                Some(rest) => match rest.strip_suffix('\'') {
                    Some(constant) => Origin::Text(constant.to_owned()),
                    None => {
                        let why = format!("`'{rest}` is not closed; write `'` at both ends");
                        return Err(Wrong::value(&item.span, why));
                    }
                },
            };
            renames.push(Rename { name, of });
        }
        match renames.is_empty() {
            true => Err(Wrong::value(&node.span, "the list is empty; name at least one field")),
            false => Ok(Self(renames)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::document::parse_value, *};

    fn read(text: &str) -> Result<Vec<String>, String> {
        let said = |rename: &Rename| match &rename.of {
            Origin::Field(field) => format!("{} <- {}", rename.name, field.value),
            Origin::Text(text) => format!("{} <- \"{text}\"", rename.name),
        };
        match Renames::read(&parse_value(text).expect("TOML")) {
            Ok(renames) => Ok(renames.0.iter().map(said).collect()),
            Err(Wrong::Kind) => Err("kind".to_owned()),
            Err(Wrong::Value(_, why)) => Err(why),
        }
    }

    #[test]
    fn fields_are_named_renamed_and_made_of_texts() {
        let said = read("['a', 'b = c', \"kind = 'an order'\", \"none = ''\"]").expect("four");
        assert_eq!(said, ["a <- a", "b <- c", "kind <- \"an order\"", "none <- \"\""]);
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for (text, says) in [
            ("[]", "the list is empty"),
            ("['a', 'a']", "no name of its own"),
            ("[' = a']", "no name of its own"),
            ("[\"a = 'b\"]", "is not closed"),
            ("'a'", "kind"),
        ] {
            let why = read(text).expect_err(text);
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
