//! `${NAME}` and `${NAME:-default}` in texts.

/// Looks a variable of the environment up.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The text with the variables put in, and whether there was one. `$$` is a dollar sign; one that
/// is followed by neither is left alone. What is put in is not looked at again.
///
/// # Errors
/// When a variable is not set and has no default, or a brace is not closed.
pub(crate) fn substitute(text: &str, lookup: Lookup<'_>) -> Result<(String, bool), String> {
    let (mut out, mut rest, mut found) = (String::new(), text, false);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let Some((inside, after)) = after.split_once('}') else {
                return Err(format!(
                    "`{rest}` is not closed; write `${{NAME}}`, or `$$` for a dollar sign"
                ));
            };
            out.push_str(&value(inside, lookup)?);
            (rest, found) = (after, true);
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok((out, found))
}

fn value(inside: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(format!(
            "`${{{inside}}}` names no variable; write `${{NAME}}` or `${{NAME:-default}}`"
        ));
    }
    // As in a shell, what is empty counts as not set where there is a default.
    match (lookup(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!(
            "the environment variable `{name}` is not set; set it, or give a default: \
             `${{{name}:-..}}`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn put_in(text: &str) -> Result<(String, bool), String> {
        substitute(text, &|name| match name {
            "LOG" => Some("a ${B} $$".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_put_in_once() {
        let cases = [
            ("x", "x", false),
            ("$ $5 $$ $${LOG}", "$ $5 $ ${LOG}", false),
            ("<${LOG}>", "<a ${B} $$>", true),
            ("${NOPE:-b:-c}${EMPTY:-d}${EMPTY}", "b:-cd", true),
            ("${NOPE:-}", "", true),
        ];
        for (text, expected, found) in cases {
            assert_eq!(put_in(text), Ok((expected.to_owned(), found)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_put_in_is_named() {
        for (text, says) in [
            ("${NOPE}", "`NOPE` is not set; set it, or give a default: `${NOPE:-..}`"),
            ("a ${LOG", "`${LOG` is not closed"),
            ("${a b}", "`${a b}` names no variable"),
            ("${}", "`${}` names no variable"),
        ] {
            let error = put_in(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    quickcheck! {
        fn texts_without_dollars_stay(text: String) -> bool {
            let text = text.replace('$', "");
            put_in(&text) == Ok((text, false))
        }
    }
}
