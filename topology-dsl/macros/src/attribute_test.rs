//! Functions that pass through, and the real `main`.

use proc_macro2::TokenStream;

use crate::{
    attribute::{main, topology_fn},
    testing::{assert_same, messages},
};

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap()
}

#[test]
fn a_sound_function_stays_as_it_is() {
    let source = r#"
        /// Counts.
        #[inline]
        pub(crate) fn count<'a, E: Engine>(t: &'a mut dsl::Topology<E>, n: usize) -> Stream<Word>
        where
            E: Sized,
        {
            let words = t.spout("words", Words).tasks(n);
            *words
        }"#;
    assert_same(topology_fn(TokenStream::new(), tokens(source)), source);
}

#[test]
fn main_with_everything() {
    assert_same(
        main(
            tokens("name = \"words\""),
            tokens(
                "/// Runs.\n fn main(t: &mut Topology, args: Args) -> tormenta::Result { go(t) }",
            ),
        ),
        r#"
        /// Runs.
        fn main() -> ::std::process::ExitCode {
            fn main(t: &mut Topology, args: Args) -> tormenta::Result { go(t) }
            ::tormenta::artifact::main("words", |t, args| {
                main(t, args)?;
                ::core::result::Result::Ok(())
            })
        }"#,
    );
}

#[test]
fn main_with_nothing_more_than_the_topology() {
    assert_same(
        main(TokenStream::new(), tokens("fn main(t: &mut Topology) { go(t); }")),
        r#"
        fn main() -> ::std::process::ExitCode {
            fn main(t: &mut Topology) { go(t); }
            ::tormenta::artifact::main(
                ::core::option_env!("CARGO_BIN_NAME").unwrap_or(::core::module_path!()),
                |t, _| {
                    main(t);
                    ::core::result::Result::Ok(())
                }
            )
        }"#,
    );
}

#[track_caller]
fn mistakes(expand: fn(TokenStream, TokenStream) -> TokenStream, item: &str, expected: &[&str]) {
    let expansion = expand(TokenStream::new(), tokens(item));
    let found = messages(expansion.clone());
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for start in expected {
        assert!(found.iter().any(|message| message.starts_with(start)), "{start}: {found:#?}");
    }
    assert!(syn::parse2::<syn::File>(expansion).is_ok(), "{item}");
}

#[test]
fn arguments() {
    let item = tokens("fn main(t: &mut Topology) {}");
    let messages_of = |arguments: &str| messages(main(tokens(arguments), item.clone()));
    assert_eq!(messages_of("name = \"a\","), [""; 0]);
    assert_eq!(messages_of("fast"), ["`#[tormenta::main]` takes `name = \"..\"` and nothing else"]);
    assert_eq!(messages_of("name = 3"), ["expected string literal"]);
    assert_eq!(messages_of("name"), ["expected `=`"]);
}

#[test]
fn signatures() {
    let first = "the first parameter is the topology";
    mistakes(topology_fn, "fn f() {}", &[first]);
    mistakes(topology_fn, "fn f(n: usize, t: &mut Topology) {}", &[first]);
    mistakes(topology_fn, "fn f(t: Topology) {}", &[first]);
    mistakes(topology_fn, "fn f(t: &Topology) {}", &[first]);
    mistakes(topology_fn, "async fn f(t: &mut Topology) {}", &["a topology is declared"]);
    mistakes(topology_fn, "struct T;", &["`#[topology_fn]` goes on a function"]);
    mistakes(main, "fn main() {}", &[first]);
    mistakes(main, "fn run(t: &mut Topology) {}", &["`#[tormenta::main]` goes on `fn main`"]);
    mistakes(main, "fn main<E>(t: &mut Topology<E>) {}", &["`main` cannot be generic"]);
    mistakes(main, "fn main(t: &mut Topology, a: A, b: B) {}", &["`main` takes the topology"]);
    let method = "impl T { fn f(&mut self) {} }";
    mistakes(topology_fn, method, &["`#[topology_fn]` goes on a function"]);
}
