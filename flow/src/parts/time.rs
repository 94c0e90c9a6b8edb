//! Times as people write them, as milliseconds.

use tormenta::{
    Bolt, Context, Counter, Emitter, Result, Stream,
    record::{Interned, Value},
};

use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::Field,
        params::{choice, component},
    },
    row::{Row, Sorted},
    shape::{Kind, Shape},
};

component! {
    /// A time as milliseconds since 1970, UTC. A row without one goes to the stream `rejected`, and
    /// is counted in `rejected`.
    ParseTime: bolt "parse-time", "the rows as they came, with the time as int; rejected: the \
        rows as they came";

    /// The field with the time.
    field: Field, required, "\"time\"";
    /// How it is written: `iso` is `2026-11-20T16:30:00.5+01:00`, also with a space, without a zone
    /// for UTC, or a date alone; `access_log` is `20/Nov/2026:16:30:00 +0100`.
    format: Format, or "\"iso\"", "\"access_log\"";
    /// A new field for the milliseconds; unless set, they take the place of the old.
    into: Option<String>, optional, "\"ms\"";
}

choice! {
    /// How a time is written.
    Format {
        Iso = "iso",
        AccessLog = "access_log",
        Seconds = "unix_s",
        Millis = "unix_ms",
    }
}

impl Part for ParseTime {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        inputs.field(&self.field)?;
        let shape = inputs.shape()?;
        let target = self.into.as_deref().unwrap_or(&self.field.value);
        let kept = shape
            .fields()
            .map(|(name, kind)| (name.to_owned(), if name == target { Kind::Int } else { kind }));
        let fields: Vec<_> = kept.chain([(target.to_owned(), Kind::Int)]).collect();
        Some(vec![Out::main(Shape::new(fields)), Out::rejected(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let target = self.into.as_deref().unwrap_or(&self.field.value);
        let bolt = TimeBolt {
            from: site.slot(&self.field).at,
            to: site.shape().find(target).map(|slot| slot.at),
            format: self.format,
            schema: site.out().schema(),
            rejected: Counter::default(),
        };
        let handle = site.bolt(bolt);
        vec![handle.default, handle.rejected]
    }
}

#[derive(Clone)]
struct TimeBolt {
    from: usize,
    /// `None` if the time is a new field.
    to: Option<usize>,
    format: Format,
    schema: Interned,
    rejected: Counter,
}

impl Bolt for TimeBolt {
    type Input = Row;
    type Output = Sorted;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.rejected = cx.counter("rejected");
        Ok(())
    }

    async fn execute(&mut self, row: Row, out: &Emitter<Sorted>) -> Result {
        let Some(ms) = parse(row.at(self.from), self.format) else {
            self.rejected.add(1);
            return out.emit(Sorted::Rejected(row)).await;
        };
        let mut values = row.into_values();
        match self.to {
            Some(to) => values[to] = Value::Int(ms),
            None => values.push(Value::Int(ms)),
        }
        out.emit(Sorted::Default(Row::new(self.schema, values))).await
    }
}

fn parse(value: &Value, format: Format) -> Option<i64> {
    let number = || match value {
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => value.as_float(),
        _ => value.as_text()?.trim().parse().ok(),
    };
    let in_ms = |ms: f64| (ms.abs() < 9e15).then(|| ms.round() as i64);
    match format {
        Format::Seconds => in_ms(number()? * 1_000.0),
        Format::Millis => in_ms(number()?),
        Format::Iso => iso(value.as_text()?.trim()),
        Format::AccessLog => access_log(value.as_text()?.trim().trim_matches(['[', ']'])),
    }
}

/// `2026-11-20T16:30:00.5+01:00`, and less.
fn iso(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let mut part = |digits| number(parts.next()?, digits);
    let days = days(part(4)?, part(2)?, part(2)?)?;
    if rest.is_empty() {
        return Some(days * DAY_MS);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    Some(days * DAY_MS + clock_ms(clock)? - zone_ms(zone)?)
}

/// `20/Nov/2026:16:30:00 +0100`.
fn access_log(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, rest) = text.split_once(':')?;
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let (clock, zone) = rest.split_once(' ').unwrap_or((rest, ""));
    let days = days(number(year, 4)?, month, number(day, 2)?)?;
    Some(days * DAY_MS + clock_ms(clock)? - zone_ms(zone)?)
}

const DAY_MS: i64 = 86_400_000;

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// `16:30`, `16:30:00`, `16:30:00.123`.
fn clock_ms(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let seconds = parts.next().unwrap_or("00");
    let (second, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, "0"));
    let second = number(second, 2)?;
    // Sixty is a leap second; the next minute begins with it.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * 1_000 + millis)
}

/// Nothing, `Z`, `+01:00`, `+0100`, `+01`.
fn zone_ms(text: &str) -> Option<i64> {
    let (sign, text) = match text.split_at_checked(1) {
        None => return Some(0),
        Some(("Z" | "z", "")) => return Some(0),
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) => return None,
    };
    let digits = text.replacen(':', "", 1);
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { number(minutes, 2)? };
    Some(sign * (number(hours, 2)? * 60 + minutes) * 60_000)
}

/// Days since 1970 in the calendar of today, for all times.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let index = usize::try_from(month - 1).ok().filter(|index| *index < 12)?;
    if day < 1 || day > lengths[index] {
        return None;
    }
    let before = year - 1;
    let years =
        before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let months: i64 = lengths[..index].iter().sum();
    // 719,162 days before 1970.
    Some(years + months + day - 1 - 719_162)
}

/// `2026-11-20T15:30:00Z`, with thousandths where there are any; `None` outside the years 0 to
/// 9999.
pub(crate) fn to_iso(ms: i64) -> Option<String> {
    // Years 0 to 9999, in days and milliseconds.
    if !(-719_528 * DAY_MS..2_932_897 * DAY_MS).contains(&ms) {
        return None;
    }
    let (date, clock) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    // A year that is too late by 7 at most: so many leap days are in 10,000 years.
    let late = 1970 + date.div_euclid(365);
    let begins = |year: &i64| days(*year, 1, 1).is_some_and(|first| first <= date);
    let year = (late - 7..=late + 7).rev().find(begins)?;
    let month = (1..=12).rev().find(|month| days(year, *month, 1).is_some_and(|d| d <= date))?;
    let day = date - days(year, month, 1)? + 1;
    let (seconds, thousandths) = (clock / 1_000, clock % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = if thousandths == 0 { String::new() } else { format!(".{thousandths:03}") };
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, format: Format) -> Option<i64> {
        parse(&text.into(), format)
    }

    #[test]
    fn times_that_are_known() {
        for (text, ms) in [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29 12:00", 951_825_600_000),
            ("2026-11-20T16:30:00.5+01:00", 1_795_188_600_500),
            ("2026-11-20T15:30:00.500", 1_795_188_600_500),
            ("2026-11-20T12:00:00,5-0330", 1_795_188_600_500),
            ("1969-12-31T23:59:59.999", -1),
        ] {
            assert_eq!(parsed(text, Format::Iso), Some(ms), "{text}");
        }
        let log = parsed("10/Oct/2000:13:55:36 -0700", Format::AccessLog);
        assert_eq!(log, Some(971_211_336_000));
        assert_eq!(parsed("[10/Oct/2000:20:55:36]", Format::AccessLog), log);
        assert_eq!(parsed("1.5", Format::Seconds), Some(1_500));
        assert_eq!(parse(&7.into(), Format::Millis), Some(7));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "today",
            "2026-02-29",
            "2026-13-01",
            "2026-11-20T24:00",
            "2026-11-20T1:00",
            "2026-11-20T10:00:00.",
            "2026-11-20T10:00 01",
            "2026-11-20X10:00",
            "+026-11-20",
        ] {
            assert_eq!(parsed(text, Format::Iso), None, "{text}");
        }
        assert_eq!(parsed("10/Okt/2000:13:55:36 -0700", Format::AccessLog), None);
        assert_eq!(parsed("1e300", Format::Seconds), None);
        assert_eq!(parse(&Value::Null, Format::Seconds), None);
    }

    quickcheck::quickcheck! {
        fn times_are_written_as_they_are_read(ms: i64) -> bool {
            // From year 0 to year 9999.
            let ms = -62_167_219_200_000 + ms.rem_euclid(253_402_300_799_999 + 62_167_219_200_000);
            to_iso(ms).and_then(|text| iso(&text)) == Some(ms)
        }
    }

    #[test]
    fn times_are_written_as_people_do() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_825_600_000, "2000-02-29T12:00:00Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(to_iso(ms).as_deref(), Some(text));
        }
        for ms in [253_402_300_800_000, -62_167_219_200_001, i64::MAX, i64::MIN] {
            assert_eq!(to_iso(ms), None, "{ms}");
        }
    }

    #[test]
    fn the_calendar_goes_day_by_day() {
        let mut expected = days(1896, 1, 1).expect("a day");
        for year in 1896..2105 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(found) = days(year, month, day) else { continue };
                    assert_eq!(found, expected, "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
        assert_eq!(days(1970, 1, 1), Some(0));
    }
}
