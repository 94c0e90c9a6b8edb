//! Schemas of tuples, and what is refused.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{testing::messages, tuple::derive};

fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    derive(&syn::parse2(item).expect("an item"))
}

/// The arguments of `Schema::new`.
#[track_caller]
fn schema(item: TokenStream) -> String {
    let text = expand(item).expect("a tuple").to_string().replace(' ', "");
    let (_, rest) = text.split_once("Schema::new(").expect("a schema");
    rest.split_once(']').expect("fields").0.to_owned() + "]"
}

#[track_caller]
fn refused(item: TokenStream, expected: &[&str]) {
    let error = expand(item).expect_err("refused");
    let found = messages(error.into_compile_error());
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, part) in found.iter().zip(expected) {
        assert!(found.contains(part), "`{part}` is not in `{found}`");
    }
}

#[test]
fn names_are_those_of_serde() {
    let rules = [
        ("lowercase", "card_no"),
        ("snake_case", "card_no"),
        ("UPPERCASE", "CARD_NO"),
        ("SCREAMING_SNAKE_CASE", "CARD_NO"),
        ("PascalCase", "CardNo"),
        ("camelCase", "cardNo"),
        ("kebab-case", "card-no"),
        ("SCREAMING-KEBAB-CASE", "CARD-NO"),
    ];
    for (rule, expected) in rules {
        let found = schema(quote! {
            #[serde(rename_all = #rule, rename = "X")]
            struct Swipe { card_no: u64, #[serde(rename = "as-is")] at: Vec<u8> }
        });
        let expected = format!("\"X\",&[(\"{expected}\",\"u64\"),(\"as-is\",\"Vec<u8>\")]");
        assert_eq!(found, expected, "{rule}");
    }
}

#[test]
fn what_is_skipped_is_no_field() {
    let found = schema(quote! {
        #[serde(default, deny_unknown_fields)]
        struct r#Type {
            #[serde(skip)] cache: u8,
            #[serde(skip_serializing, skip_deserializing)] other: u8,
            #[serde(default = "one", alias = "m", with = "hex")] r#type: u8,
        }
    });
    assert_eq!(found, r#""Type",&[("type","u8")]"#);
}

#[test]
fn what_changes_the_shape_is_refused() {
    refused(quote! { struct T { #[serde(flatten)] a: A } }, &["a schema lists all of them"]);
    refused(
        quote! { struct T { #[serde(skip_serializing_if = "Option::is_none")] a: Option<A> } },
        &["all have the same fields"],
    );
    refused(
        quote! {
            #[serde(transparent, rename_all(serialize = "camelCase"))]
            struct T { #[serde(skip_serializing)] a: A, #[serde(odd(1, 2), default)] b: B }
        },
        &[
            "`transparent` would write something else",
            "under the same names",
            "`skip_serializing` alone",
            "does not know",
        ],
    );
    for attribute in ["from = \"A\"", "into = \"A\"", "try_from = \"A\"", "tag = \"t\""] {
        let attribute: TokenStream = attribute.parse().expect("tokens");
        let item = quote! { #[serde(#attribute)] struct T { a: A } };
        refused(item, &["something else than the fields"]);
    }
}

#[test]
fn two_fields_of_one_name_are_refused() {
    let item =
        quote! { struct T { a: A, #[serde(rename = "a")] b: B, #[serde(rename = "a")] c: C } };
    refused(item, &["two fields are called `a`", "two fields are called `a`"]);
}

#[test]
fn generic_tuples_are_refused() {
    refused(quote! { struct T<V> { a: V } }, &["`T` cannot be generic"]);
    refused(quote! { struct T<const N: usize> { a: u8 } }, &["`T` cannot be generic"]);
}

#[test]
fn only_structs_with_names_are_tuples() {
    refused(quote! { struct T(u8); }, &["the fields of `T` need names"]);
    refused(quote! { enum T { A } }, &["`T` is no struct"]);
}
