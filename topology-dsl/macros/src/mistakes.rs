//! The user's mistakes: all of them are reported, each at its own token.

use std::fmt::Display;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

/// What was found so far.
#[derive(Default)]
pub(crate) struct Mistakes(TokenStream);

impl Mistakes {
    /// Notes a mistake at a token.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        let message = literal(span, message);
        self.0.extend(quote_spanned!(span=> ::core::compile_error! { #message }));
    }

    /// Notes a mistake in some syntax.
    pub(crate) fn over(&mut self, syntax: impl ToTokens, message: impl Display) {
        self.0.extend(syn::Error::new_spanned(syntax, message).into_compile_error());
    }

    /// Notes what syn found wrong.
    pub(crate) fn errors(&mut self, errors: syn::Error) {
        self.0.extend(errors.into_compile_error());
    }

    /// Everything that was noted, as items or statements.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0
    }
}

/// A mistake in the place of an expression that is missing or cannot be.
///
/// rustc gives it a type that fits everywhere, so that no other error follows from it.
pub(crate) fn expression(span: Span, message: impl Display) -> TokenStream {
    let message = literal(span, message);
    quote_spanned!(span=> ::core::compile_error!(#message))
}

fn literal(span: Span, message: impl Display) -> Literal {
    let mut literal = Literal::string(&message.to_string());
    literal.set_span(span);
    literal
}
