//! `#[topology_fn]` and `#[main]`: ordinary functions, checked.
//!
//! The function is handed on as it was written; only what stands around it is ours.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, FnArg, LitStr, Result, ReturnType, Signature, Type, Visibility,
    parse::{Parse, ParseStream, Parser as _},
    spanned::Spanned as _,
};

use crate::mistakes::{self, Mistakes};

/// A function, its body not looked into.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

/// Expands `#[topology_fn]`.
pub(crate) fn topology_fn(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    refuse_arguments(arguments, &mut mistakes);
    match function(&item, "topology_fn", &mut mistakes) {
        Some(mut function) => {
            check(&mut function.signature, &mut mistakes);
            let Function { attributes, visibility, signature, body } = function;
            let mistakes = mistakes.into_tokens();
            quote!(#(#attributes)* #visibility #signature #body #mistakes)
        }
        None => [item, mistakes.into_tokens()].into_iter().collect(),
    }
}

/// Expands `#[main]`.
pub(crate) fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let name = topology_name(arguments, &mut mistakes);
    let Some(mut function) = function(&item, "tormenta::main", &mut mistakes) else {
        return [item, mistakes.into_tokens()].into_iter().collect();
    };
    check(&mut function.signature, &mut mistakes);
    check_main(&function.signature, &mut mistakes);
    let main = artifact(function, &name);
    let mistakes = mistakes.into_tokens();
    quote!(#main #mistakes)
}

/// The name that was given, or that of the executable.
fn topology_name(arguments: TokenStream, mistakes: &mut Mistakes) -> TokenStream {
    let mut name = None;
    let given = syn::meta::parser(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error("`#[tormenta::main]` takes `name = \"..\"` and nothing else"));
        }
        name = Some(meta.value()?.parse::<LitStr>()?);
        Ok(())
    });
    if let Err(error) = given.parse2(arguments) {
        mistakes.errors(error);
    }
    match name {
        Some(name) => quote!(#name),
        // Cargo knows how the executable is called; a bare rustc, what it was told.
        None => quote! {
            ::core::option_env!("CARGO_BIN_NAME").unwrap_or(::core::module_path!())
        },
    }
}

/// The real `main`, with the author's inside of it.
fn artifact(function: Function, topology: &TokenStream) -> TokenStream {
    let Function { attributes, visibility, signature, body } = function;
    let (name, at) = (&signature.ident, signature.ident.span());
    let given = signature.inputs.iter().enumerate().map(|(index, parameter)| match index {
        0 => quote_spanned!(at=> t),
        1 => quote_spanned!(at=> args),
        _ => {
            let message = "`main` takes the topology, and `Args` if it wants them";
            mistakes::expression(parameter.span(), message)
        }
    });
    let call = match &signature.output {
        ReturnType::Default => quote_spanned!(at=> #name(#(#given),*)),
        // `?` takes every error that a `tormenta::Error` can be made from.
        ReturnType::Type(_, ty) => {
            // In one place, so that the whole is not underlined when its type is no result.
            let mut name = name.clone();
            name.set_span(ty.span());
            quote_spanned!(ty.span()=> #name(#(#given),*)?)
        }
    };
    let args = match signature.inputs.len() {
        0 | 1 => quote_spanned!(at=> _),
        _ => quote_spanned!(at=> args),
    };
    quote_spanned! {at=>
        #(#attributes)*
        #visibility fn #name() -> ::std::process::ExitCode {
            #signature #body
            ::tormenta::artifact::main(#topology, |t, #args| {
                #call;
                ::core::result::Result::Ok(())
            })
        }
    }
}

fn refuse_arguments(arguments: TokenStream, mistakes: &mut Mistakes) {
    if let Some(first) = arguments.into_iter().next() {
        mistakes.at(first.span(), "`#[topology_fn]` takes no arguments");
    }
}

fn function(item: &TokenStream, attribute: &str, mistakes: &mut Mistakes) -> Option<Function> {
    let function = syn::parse2(item.clone()).ok();
    if function.is_none() {
        let first = item.clone().into_iter().next();
        let at = first.as_ref().map_or_else(Span::call_site, TokenTree::span);
        mistakes.at(at, format!("`#[{attribute}]` goes on a function"));
    }
    function
}

/// Checks what all declaring functions share, and mends what would only lead to more errors.
fn check(signature: &mut Signature, mistakes: &mut Mistakes) {
    if let Some(keyword) = signature.asyncness.take() {
        mistakes.at(keyword.span(), "a topology is declared, not awaited: remove `async`");
    }
    match signature.inputs.first() {
        None => {
            let message = "the first parameter is the topology: add `t: &mut Topology`";
            mistakes.at(signature.ident.span(), message);
        }
        Some(FnArg::Receiver(receiver)) => {
            let message = "a topology is a function, not a method: remove `self`";
            mistakes.at(receiver.self_token.span, message);
        }
        Some(FnArg::Typed(first)) if !is_topology(&first.ty) => {
            let message = "the first parameter is the topology, of type `&mut Topology`";
            mistakes.over(&first.ty, message);
        }
        Some(FnArg::Typed(_)) => {}
    }
}

/// Whether the type is `&mut Topology<..>`, under whatever path.
fn is_topology(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else {
        return false;
    };
    let Type::Path(path) = &*reference.elem else {
        return false;
    };
    let last = path.path.segments.last();
    reference.mutability.is_some() && last.is_some_and(|segment| segment.ident == "Topology")
}

/// Checks what only `main` must keep.
fn check_main(signature: &Signature, mistakes: &mut Mistakes) {
    if signature.ident != "main" {
        let message = "`#[tormenta::main]` goes on `fn main`";
        mistakes.at(signature.ident.span(), message);
    }
    if let Some(first) = signature.generics.params.first() {
        mistakes.over(first, "`main` cannot be generic");
    }
}
