//! Names of ports.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{streams::derive, testing::messages};

/// The names of the ports, as the plan shows them.
#[track_caller]
fn ports(variants: TokenStream) -> Vec<String> {
    let item = syn::parse2(quote! { enum E { #variants } }).expect("an enum");
    let text = derive(&item).expect("streams").to_string();
    let named = text.split("name : \"").skip(1);
    named.map(|rest| rest.split('"').next().expect("a name").to_owned()).collect()
}

#[track_caller]
fn refused(variants: TokenStream, expected: &str) {
    let item = syn::parse2(quote! { enum E { #variants } }).expect("an enum");
    let found = messages(derive(&item).expect_err("refused").into_compile_error());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains(expected), "{found:#?}");
}

#[test]
fn a_word_starts_where_a_reader_sees_one() {
    for (variant, port) in [
        ("Alert", "alert"),
        ("TooLate", "too_late"),
        ("HTTPError", "http_error"),
        ("IoHTTP", "io_http"),
        ("HTTP", "http"),
        ("V2Score", "v2_score"),
        ("HTTP2Frame", "http2_frame"),
        ("Top10", "top10"),
        ("ABTest", "ab_test"),
        ("Too_Late", "too_late"),
        ("too_late", "too_late"),
        ("Größe", "größe"),
        ("Type", "type"),
        ("Self_", "self_"),
    ] {
        let variant = format_ident!("{variant}");
        assert_eq!(ports(quote! { #variant(A) }), [port], "{variant}");
    }
}

#[test]
fn a_name_may_be_given() {
    assert_eq!(ports(quote! { #[stream(name = "late")] TooLate(A), B(B) }), ["late", "b"]);
    assert_eq!(ports(quote! { #[stream(name = "type")] TooLate(A) }), ["type"]);
    assert_eq!(
        ports(quote! { #[stream(name = "b")] A(A), #[stream(name = "a")] B(B) }),
        ["b", "a"]
    );
    for name in ["", "a b", "tooLate", "2nd", "_", "self", "a-b", "r#type", "a\u{0}"] {
        refused(quote! { #[stream(name = #name)] A(A) }, "a word in snake case");
    }
    refused(quote! { #[stream(nam = "a")] A(A) }, "a stream has a `name` and nothing else");
    refused(quote! { #[stream] A(A) }, "expected attribute arguments");
}

#[test]
fn two_streams_of_one_name_are_refused() {
    refused(quote! { HttpError(A), HTTPError(B) }, "two streams are called `http_error`");
    refused(quote! { A(A), #[stream(name = "a")] B(B) }, "two streams are called `a`");
}
