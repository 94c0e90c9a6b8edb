//! Fields of a row: numbers, degrees, money.

/// Characters of a field that are shown.
const SHOWN: usize = 60;

/// Shows a field, or its beginning, without what a terminal would obey.
pub(super) fn shown(text: &[u8]) -> String {
    let begin = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    let escaped = begin.escape_debug().to_string();
    match escaped.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &escaped[..end]),
        None => escaped,
    }
}

/// The number that these digits are, if they are nothing else and no more than fit. Most fields
/// are read so, without a look for blanks, signs and what is no text.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| 10 * number + u64::from(digit))
    })
}

pub(super) fn whole<T>(name: &str, text: &[u8]) -> Result<T, String>
where
    T: std::str::FromStr + TryFrom<u64>,
{
    if let Some(number) = digits(text).and_then(|number| T::try_from(number).ok()) {
        return Ok(number);
    }
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok());
    parsed.ok_or_else(|| format!("`{name}` is `{}`, which is no whole number", shown(text)))
}

pub(super) fn degrees(name: &str, text: &[u8], max: f32) -> Result<f32, String> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<f32>().ok());
    let parsed = parsed.filter(|degrees| degrees.abs() <= max);
    parsed.ok_or_else(|| format!("`{name}` is `{}`; use degrees up to {max}", shown(text)))
}

/// Cents of an amount, by its digits: money is not for floats.
pub(super) fn cents(name: &str, text: &[u8]) -> Result<u64, String> {
    if let [units @ .., b'.', tens, ones] = text
        && let (Some(units), Some(parts)) = (digits(units), digits(&[*tens, *ones]))
        && units < 10_u64.pow(13)
    {
        return Ok(units * 100 + parts);
    }
    let refused = || format!("`{name}` is `{}`; use a number of at least 0", shown(text));
    let text = std::str::from_utf8(text).map_err(|_| refused())?.trim();
    let (units, parts) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || units.len() > 13 || !is_digits(units) || !is_digits(parts) {
        return Err(refused());
    }
    let digit =
        |index: usize| u64::from(parts.as_bytes().get(index).map_or(0, |digit| digit - b'0'));
    let units: u64 = units.parse().map_err(|_| refused())?;
    Ok(units * 100 + digit(0) * 10 + digit(1) + u64::from(digit(2) >= 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(shown(b"a\x1b[31mb\x07 \"c\xff"), "a\\u{1b}[31mb\\u{7} \\\"c\u{fffd}");
        assert_eq!(shown(&[0; 9_999]), format!("{}..", "\\0".repeat(30)));
        assert_eq!(shown(&[b'x'; 60]), "x".repeat(60));
    }

    #[test]
    fn numbers_are_read_as_others_read_them() {
        for text in ["0", "007", "18446744073709551615", "999999999999999999", " 5 ", "+5", "-5"] {
            let (bytes, trimmed) = (text.as_bytes(), text.trim());
            assert_eq!(whole::<i64>("n", bytes).ok(), trimmed.parse().ok(), "{text}");
            assert_eq!(whole::<u64>("n", bytes).ok(), trimmed.parse().ok(), "{text}");
            assert_eq!(whole::<u8>("n", bytes).ok(), trimmed.parse().ok(), "{text}");
        }
        for text in ["", "x", "5x", "1.0", "99999999999999999999", "\u{661}"] {
            assert!(whole::<u64>("n", text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_read_by_their_digits() {
        let read = |text: &str| cents("amount", text.as_bytes());
        for (text, expected) in
            [("0", 0), ("4.97", 497), ("45.0", 4_500), (" 7 ", 700), ("0.019", 2), ("1.005", 101)]
        {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in ["", "-1", "-0.01", "1e3", "nan", "inf", "1,5", "1.2.3", "99999999999999"] {
            assert!(read(text).is_err_and(|why| why.contains("at least 0")), "{text}");
        }
    }
}
