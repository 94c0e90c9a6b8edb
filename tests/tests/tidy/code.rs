//! Rust as far as the rules need it: what is code, and which words stand in it.

/// A program without its comments and without what is in its quotes.
pub(crate) fn code(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '/' if rest.starts_with("//") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest.find("*/").map(|end| end + 2),
            '"' => Some(quoted(rest, '"')),
            '\'' if is_char(rest) => Some(quoted(rest, '\'')),
            'r' => raw(rest),
            _ => Some(0),
        };
        let skipped = skipped.unwrap_or(rest.len());
        if skipped == 0 {
            code.push(first);
        }
        rest = &rest[skipped.max(first.len_utf8())..];
    }
    code
}

/// The length of a literal in these quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = true; // the opening quote closes nothing
    let end = text.char_indices().find(|(_, c)| {
        let closes = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(end, _)| end + 1)
}

/// Whether this is a character and no lifetime.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// The length of a raw string, zero for anything else that begins with `r`.
fn raw(text: &str) -> Option<usize> {
    let marks = text[1..].chars().take_while(|c| *c == '#').count();
    let Some(inner) = text[1 + marks..].strip_prefix('"') else { return Some(0) };
    let end = format!("\"{}", "#".repeat(marks));
    inner.find(&end).map(|at| 2 + marks + at + end.len())
}

/// Whether the word stands in a program by itself, and not as a part of another.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}
