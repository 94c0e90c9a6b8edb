//! A long text, such as a traceback, as one short line.

/// Bytes that are left of it.
const BYTES_MAX: usize = 500;

/// The last line of a text that has letters, which is the one that names an exception; without
/// control characters, and cut off. Empty if there is none.
pub(crate) fn brief(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let line = lines.rev().find(|line| !line.is_empty()).unwrap_or_default();
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let ends = line.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let end = ends.take_while(|end| *end <= BYTES_MAX).last().unwrap_or_default();
    let short = &line[..end];
    let dots = if short.len() < line.len() { ".." } else { "" };
    short.chars().map(plain).chain(dots.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_told_and_not_too_much_of_it() {
        let traceback = "Traceback (most recent call last):\n  File\nValueError: un\x1blucky\n\n";
        assert_eq!(brief(traceback), "ValueError: un lucky");
        assert_eq!((brief(""), brief(" \n")), (String::new(), String::new()));
        let long = brief(&"\u{e4}".repeat(300));
        assert!(long.len() == BYTES_MAX + 2 && long.ends_with("\u{e4}.."), "{long}");
    }
}
