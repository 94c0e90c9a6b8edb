//! How a plan writes what JSON has no form of its own for.
//!
//! Programs that read JSON may take every number for a double, which has 53 bits: so what uses all
//! 64 is text. A time has its unit in its name.

use std::time::Duration;

use serde::Serializer;

/// A fingerprint as 16 hexadecimal digits.
pub(super) fn hex<S: Serializer>(fingerprint: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{fingerprint:016x}"))
}

/// A time in milliseconds, with a fraction where it is no whole number of them.
pub(crate) fn ms<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let is_whole = time.subsec_nanos().is_multiple_of(1_000_000);
    match u64::try_from(time.as_millis()) {
        Ok(ms) if is_whole && ms <= WHOLE_MAX => to.serialize_u64(ms),
        _ => to.serialize_f64(time.as_secs_f64() * 1e3),
    }
}

/// The largest number up to which a double has them all.
const WHOLE_MAX: u64 = 1 << 53;

/// A time in milliseconds, or `null` where there is none.
pub(crate) fn ms_if_any<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => ms(time, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Concurrency, Plan, Retry, Topology,
        doc::{NoEngine, Words},
    };

    fn plan() -> Plan {
        let mut t = Topology::<NoEngine>::new("t");
        let retry = Retry { backoff_min: Duration::from_micros(1_500), ..Retry::default() };
        let numbers = t.spout("numbers", Words).replaying(retry);
        let _ = numbers.message_timeout(Duration::from_secs(90));
        t.plan().expect("a sound topology")
    }

    #[test]
    fn times_are_milliseconds_and_say_so() {
        let settings = &plan().to_json()["components"][0]["settings"];
        assert_eq!(settings["message_timeout_ms"], json!(90_000));
        assert_eq!(settings["execute_timeout_ms"], json!(30_000));
        assert_eq!(settings["tick_ms"], json!(null));
        assert_eq!(settings["hold_timeout_ms"], json!(null));
        let retry = json!({ "attempts_max": 3, "backoff_min_ms": 1.5, "backoff_max_ms": 10_000 });
        assert_eq!(settings["retry"], retry);
        let text = plan().to_json().to_string();
        assert!(!text.contains("nanos"), "{text}");
    }

    #[test]
    fn the_longest_time_is_a_number_too() {
        #[derive(serde::Serialize)]
        struct Time(#[serde(serialize_with = "ms")] Duration);
        let longest = serde_json::to_value(Time(Duration::MAX)).expect("a number");
        assert!(longest.as_f64().is_some_and(|ms| ms > 1.8e22), "{longest}");
    }

    #[test]
    fn a_fingerprint_is_text_that_loses_no_bit() {
        let plan = plan();
        let port = &plan.to_json()["components"][0]["ports"][0];
        let text = port["fingerprint"].as_str().expect("text");
        assert_eq!(text.len(), 16);
        let read = u64::from_str_radix(text, 16).expect("hexadecimal");
        assert_eq!(read, plan.components[0].ports[0].fingerprint);
    }

    #[test]
    fn names_are_in_snake_case() {
        let json = |concurrency: Concurrency| serde_json::to_value(concurrency).expect("a value");
        assert_eq!(json(Concurrency::One), json!("one"));
        assert_eq!(json(Concurrency::Unordered(4)), json!({ "unordered": 4 }));
    }
}
