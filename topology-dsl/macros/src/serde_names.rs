//! What `#[serde(..)]` does to the names of a tuple and of its fields.
//!
//! A record is matched to its schema by the names that serde writes. So the schema follows what
//! renames a field or leaves it out for good, and what would make a record of another shape is
//! refused where it stands.

use syn::{Attribute, Error, LitStr, Result, Token, meta::ParseNestedMeta};

use crate::tuple::push;

/// The names of a struct.
pub(crate) struct Renamed {
    pub(crate) name: String,
    pub(crate) rule: Rule,
}

/// How the name of a field is made from that in Rust, by `rename_all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    None,
    Upper,
    Pascal,
    Camel,
    Kebab,
    UpperKebab,
}

impl Rule {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "lowercase" | "snake_case" => Self::None,
            "UPPERCASE" | "SCREAMING_SNAKE_CASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::UpperKebab,
            _ => return None,
        })
    }

    /// As serde does it: fields are taken to be in snake case.
    fn apply(self, field: &str) -> String {
        match self {
            Self::None => field.to_owned(),
            Self::Upper => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => {
                let mut name = pascal(field);
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_lowercase();
                }
                name
            }
            Self::Kebab => field.replace('_', "-"),
            Self::UpperKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(field: &str) -> String {
    let mut name = String::new();
    let mut starts = true;
    for c in field.chars() {
        match c {
            '_' => starts = true,
            _ if starts => {
                name.push(c.to_ascii_uppercase());
                starts = false;
            }
            _ => name.push(c),
        }
    }
    name
}

/// The names of a struct with these attributes.
///
/// # Errors
/// All attributes that a tuple cannot have, each at itself.
pub(crate) fn of_struct(attributes: &[Attribute], name: String) -> Result<Renamed> {
    let mut renamed = Renamed { name, rule: Rule::None };
    each_serde(attributes, |key, meta| {
        match key {
            "rename" => renamed.name = one_name(key, meta)?.value(),
            "rename_all" => {
                let text = one_name(key, meta)?;
                // What is no rule is reported by serde.
                renamed.rule = Rule::of(&text.value()).unwrap_or(renamed.rule);
            }
            "default" | "deny_unknown_fields" | "bound" | "crate" | "expecting" => skip(meta)?,
            _ => return Err(refused(key, meta)),
        }
        Ok(())
    })?;
    Ok(renamed)
}

/// The name of a field with these attributes, or none if it is skipped.
///
/// # Errors
/// See [`of_struct`].
pub(crate) fn of_field(
    attributes: &[Attribute],
    name: String,
    rule: Rule,
) -> Result<Option<String>> {
    let mut name = rule.apply(&name);
    let (mut is_written, mut is_read, mut one_sided) = (true, true, None);
    each_serde(attributes, |key, meta| {
        match key {
            "rename" => name = one_name(key, meta)?.value(),
            "skip" => (is_written, is_read) = (false, false),
            "skip_serializing" | "skip_deserializing" => {
                let side = if key == "skip_serializing" { &mut is_written } else { &mut is_read };
                *side = false;
                one_sided = Some(meta.error(format!(
                    "`{key}` alone would write another tuple than it reads: use `skip`, or neither"
                )));
            }
            "default" | "alias" | "with" | "serialize_with" | "deserialize_with" | "bound"
            | "borrow" => skip(meta)?,
            _ => return Err(refused(key, meta)),
        }
        Ok(())
    })?;
    match one_sided {
        Some(error) if is_written || is_read => Err(error),
        _ => Ok(Some(name).filter(|_| is_written)),
    }
}

/// Shows every key of every `#[serde(..)]`, and goes on after a mistake.
fn each_serde(
    attributes: &[Attribute],
    mut look: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let mut errors = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if let Err(error) = look(&key, &meta) {
                push(&mut errors, error);
                skip(&meta)?;
            }
            Ok(())
        });
        if let Err(error) = parsed {
            push(&mut errors, error);
        }
    }
    errors.map_or(Ok(()), Err)
}

/// `= "name"`.
fn one_name(key: &str, meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    if meta.input.peek(syn::token::Paren) {
        return Err(meta.error(format!(
            "a tuple is written and read under the same names: give one, as in `{key} = \"..\"`"
        )));
    }
    meta.value()?.parse()
}

/// Goes over a value that does not matter.
fn skip(meta: &ParseNestedMeta<'_>) -> Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

fn refused(key: &str, meta: &ParseNestedMeta<'_>) -> Error {
    let why = match key {
        "flatten" => {
            "`flatten` hides the names of the fields inside, and a schema lists all of them: \
             write them here, or keep the inner struct as one field"
                .to_owned()
        }
        "skip_serializing_if" => {
            "`skip_serializing_if` would leave the field out of some tuples, and all have the \
             same fields: an `Option` that is `None` is written as null"
                .to_owned()
        }
        "transparent" | "from" | "try_from" | "into" | "tag" | "remote" => {
            format!(
                "`{key}` would write something else than the fields of the struct, and those are \
                 the tuple's schema: remove it"
            )
        }
        _ => "`derive(Tuple)` does not know what this does to the fields: remove it".to_owned(),
    };
    meta.error(why)
}
