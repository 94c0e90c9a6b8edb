//! Schemas have the names that serde writes.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::{Tuple, text::Line};

/// The names as another format shows them, and back from a record.
#[track_caller]
fn agrees<T: Tuple + PartialEq + Debug>(tuple: &T, names: &[&str]) {
    let schema = T::schema();
    let found: Vec<&str> = schema.fields().iter().map(|field| &*field.name).collect();
    assert_eq!(found, names);
    let json = serde_json::to_value(tuple).expect("JSON");
    let keys: Vec<&String> = json.as_object().expect("a struct").keys().collect();
    assert_eq!(keys.len(), names.len(), "{json}");
    assert!(names.iter().all(|name| json.get(name).is_some()), "{json}");
    let record = tuple.to_record().expect("a record");
    assert_eq!(record.schema().fields(), schema.fields());
    assert_eq!(record.to::<T>().expect("the tuple"), *tuple);
}

macro_rules! by_rule {
    ($($test:ident $rule:literal: $($name:literal)*;)*) => {$(
        #[test]
        fn $test() {
            #[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = $rule)]
            #[expect(non_snake_case, reason = "a name that is hard on the rules")]
            struct Swipe {
                card: u64,
                card_no: Option<u32>,
                _at__2nd: i64,
                #[serde(rename = "as It-is")]
                other: String,
                r#type: u8,
            }
            let other = "x".to_owned();
            let swipe = Swipe { card: 1, card_no: None, _at__2nd: -3, other, r#type: 4 };
            agrees(&swipe, &[$($name),*]);
        }
    )*};
}

by_rule! {
    lower "lowercase": "card" "card_no" "_at__2nd" "as It-is" "type";
    snake "snake_case": "card" "card_no" "_at__2nd" "as It-is" "type";
    upper "UPPERCASE": "CARD" "CARD_NO" "_AT__2ND" "as It-is" "TYPE";
    loud_snake "SCREAMING_SNAKE_CASE": "CARD" "CARD_NO" "_AT__2ND" "as It-is" "TYPE";
    pascal "PascalCase": "Card" "CardNo" "At2nd" "as It-is" "Type";
    camel "camelCase": "card" "cardNo" "at2nd" "as It-is" "type";
    kebab "kebab-case": "card" "card-no" "-at--2nd" "as It-is" "type";
    loud_kebab "SCREAMING-KEBAB-CASE": "CARD" "CARD-NO" "-AT--2ND" "as It-is" "TYPE";
}

#[test]
fn what_is_skipped_is_not_there() {
    #[derive(Tuple, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename = "Swiped", default)]
    struct Swipe {
        card: u64,
        #[serde(skip)]
        cache: Vec<u8>,
        #[serde(rename = "a", alias = "amount", default)]
        amount: i64,
    }
    agrees(&Swipe { card: 7, amount: 1, ..Swipe::default() }, &["card", "a"]);
    assert_eq!(Swipe::schema().to_string(), "Swiped(card: u64, a: i64)");
    let record = Swipe { cache: vec![1], ..Swipe::default() }.to_record().expect("a record");
    assert_eq!(record.to::<Swipe>().expect("the tuple"), Swipe::default());
}

#[test]
fn plain_tuples_keep_their_names() {
    let schema = Line::schema();
    assert_eq!(schema.to_string(), "Line(text: Bytes, file: u32, number: u64)");
}
