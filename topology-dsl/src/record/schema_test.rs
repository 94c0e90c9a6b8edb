//! What a schema promises to other builds and other languages.

use super::Schema;

fn count() -> Schema {
    Schema::new("Count", &[("word", "Bytes"), ("n", "u64")])
}

// The numbers are those of Python's xxhash, so other languages can agree with us.
#[test]
fn the_fingerprint_is_golden() {
    assert_eq!(count().canonical(), "Count(word:Bytes,n:u64)");
    assert_eq!(count().fingerprint(), 0xb2c3_8108_df07_c3a1);
    assert_eq!(Schema::new("Tick", &[]).canonical(), "Tick()");
    assert_eq!(Schema::new("Tick", &[]).fingerprint(), 0x07ea_5706_c3b7_ab89);
}

#[test]
fn the_fingerprint_sees_name_order_and_type() {
    let others = [
        Schema::new("Counts", &[("word", "Bytes"), ("n", "u64")]),
        Schema::new("Count", &[("n", "u64"), ("word", "Bytes")]),
        Schema::new("Count", &[("word", "String"), ("n", "u64")]),
        Schema::new("Count", &[("word", "Bytes")]),
    ];
    for other in others {
        assert_ne!(other.fingerprint(), count().fingerprint(), "{other}");
    }
}

#[test]
fn white_space_between_words_stays() {
    let kind = "Box < dyn  Fn (u8) -> & 'static  str >";
    let canonical = Schema::new("F", &[("f", kind)]).canonical();
    assert_eq!(canonical, "F(f:Box<dyn Fn(u8)->&'static str>)");
}

#[test]
#[should_panic(expected = "schema `Pair` has two fields called `a`")]
fn a_programmer_who_repeats_a_field_is_told() {
    Schema::new("Pair", &[("a", "u8"), ("a", "u8")]);
}

#[test]
fn json_round_trips_and_is_checked() {
    let text = serde_json::to_string(&count()).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), count());
    let twice = r#"{"name":"P","fields":[{"name":"a","kind":"u8"},{"name":"a","kind":"u8"}]}"#;
    let error = serde_json::from_str::<Schema>(twice).unwrap_err();
    assert!(error.to_string().contains("field `a`: occurs twice"), "{error}");
}
