//! `derive(Streams)`: one port for each variant of an enum.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{
    Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Type, Variant, ext::IdentExt as _,
};

use crate::tuple::push;

/// More ports than anybody has wanted; the engine's tuples of outlets end there.
const PORTS_MAX: usize = 8;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let ports = ports(input)?;
    let handles = format_ident!("{name}Ports");
    let vis = &input.vis;
    let index: Vec<usize> = (0..ports.len()).collect();
    let slot: Vec<syn::Index> = index.iter().map(|i| syn::Index::from(*i)).collect();
    let variant: Vec<&Ident> = ports.iter().map(|port| &port.variant).collect();
    let field: Vec<&Ident> = ports.iter().map(|port| &port.field).collect();
    let text: Vec<String> = field.iter().map(|f| f.unraw().to_string()).collect();
    let ty: Vec<&Type> = ports.iter().map(|port| &port.ty).collect();
    let doc = format!("The streams of [`{name}`].");
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone)]
        #vis struct #handles {
            #(
                #[doc = concat!("The tuples of `", stringify!(#variant), "`.")]
                pub #field: ::tormenta::Stream<#ty>,
            )*
        }

        impl ::tormenta::Streams for #name {
            type Ports = #handles;
            type Outlets = (#(::tormenta::Outlet<#ty>,)*);

            fn ports(source: ::tormenta::Source) -> #handles {
                #handles { #(#field: ::tormenta::Stream::new(source, #index),)* }
            }

            fn infos() -> ::std::vec::Vec<::tormenta::PortInfo> {
                ::std::vec![#(::tormenta::PortInfo {
                    name: #text,
                    schema: <#ty as ::tormenta::Tuple>::schema(),
                },)*]
            }

            fn port(&self) -> usize {
                match self { #(Self::#variant(_) => #index,)* }
            }

            fn dispatch(
                staged: &mut ::tormenta::engine::Batch<Self>,
                outlets: &mut Self::Outlets,
            ) {
                let epoch = staged.epoch.take();
                // A run of tuples of one port is handed on together; the order stays.
                let mut run = usize::MAX;
                staged.take_each(|anchors, root, edge, value| {
                    let port = ::tormenta::Streams::port(&value);
                    if port != run {
                        #(if run == #index { outlets.#slot.end_run(epoch.as_ref()); })*
                        run = port;
                    }
                    match value {
                        #(Self::#variant(tuple) => {
                            outlets.#slot.push(anchors, root, edge, tuple);
                        })*
                    }
                });
                #(if run == #index { outlets.#slot.end_run(epoch.as_ref()); })*
            }

            fn to_record(
                &self,
            ) -> ::std::result::Result<
                ::tormenta::record::Record,
                ::tormenta::record::RecordError,
            > {
                match self { #(Self::#variant(tuple) => ::tormenta::Tuple::to_record(tuple),)* }
            }
        }
    })
}

struct Port {
    variant: Ident,
    field: Ident,
    ty: Type,
}

fn ports(input: &DeriveInput) -> Result<Vec<Port>> {
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        let message = format!(
            "`{name}` is no enum: several streams are an enum with one variant for each; for one \
             stream derive `Tuple`"
        );
        return Err(Error::new_spanned(name, message));
    };
    if data.variants.is_empty() || data.variants.len() > PORTS_MAX {
        let message = format!("`{name}` needs one to {PORTS_MAX} variants, one for each stream");
        return Err(Error::new_spanned(name, message));
    }
    if !input.generics.params.is_empty() {
        let message = format!("`{name}` cannot be generic: its ports are fixed");
        return Err(Error::new_spanned(&input.generics, message));
    }
    let (mut ports, mut errors) = (Vec::new(), None::<Error>);
    for variant in &data.variants {
        match port(variant) {
            Ok(port) if ports.iter().any(|other: &Port| other.field == port.field) => {
                push(&mut errors, called_twice(&port));
            }
            Ok(port) => ports.push(port),
            Err(error) => push(&mut errors, error),
        }
    }
    errors.map_or(Ok(ports), Err)
}

fn called_twice(port: &Port) -> Error {
    let message = format!(
        "two streams are called `{}`: give one another name, as in `#[stream(name = \"other\")]`",
        port.field.unraw()
    );
    Error::new_spanned(&port.variant, message)
}

fn port(variant: &Variant) -> Result<Port> {
    let name = &variant.ident;
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(Port {
            variant: name.clone(),
            field: given_name(variant)?.unwrap_or_else(|| snake_case(name)),
            ty: fields.unnamed[0].ty.clone(),
        }),
        _ => {
            let message = format!("`{name}` must hold exactly one tuple, as in `{name}(Alert)`");
            Err(Error::new_spanned(variant, message))
        }
    }
}

/// `TooLate` becomes `too_late`, and `HTTPError` `http_error`; keywords become raw identifiers.
fn snake_case(name: &Ident) -> Ident {
    let letters: Vec<char> = name.unraw().to_string().chars().collect();
    let mut text = String::new();
    for (index, c) in letters.iter().enumerate() {
        if index > 0 && starts_word(letters[index - 1], *c, letters.get(index + 1)) {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    identifier(&text, name.span())
}

/// Whether a capital begins a word: after a small letter or a digit, or as the last of several
/// capitals, where those before it are an acronym.
fn starts_word(before: char, c: char, after: Option<&char>) -> bool {
    let follows_capital = before.is_uppercase() && after.is_some_and(|c| c.is_lowercase());
    c.is_uppercase() && (before.is_lowercase() || before.is_numeric() || follows_capital)
}

fn identifier(text: &str, span: Span) -> Ident {
    match syn::parse_str::<Ident>(text) {
        Ok(ident) => Ident::new(&ident.to_string(), span),
        Err(_) => Ident::new_raw(text, span),
    }
}

/// What `#[stream(name = "..")]` says, if it is there.
fn given_name(variant: &Variant) -> Result<Option<Ident>> {
    let mut name = None;
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("stream")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("a stream has a `name` and nothing else"));
            }
            name = Some(checked_name(&meta.value()?.parse()?)?);
            Ok(())
        })?;
    }
    Ok(name)
}

/// A port is a field of the handles, so its name must be able to be one.
fn checked_name(text: &LitStr) -> Result<Ident> {
    let name = text.value();
    let is_snake = name.chars().all(|c| c == '_' || c.is_numeric() || c.is_lowercase());
    let is_word = |name: &str| name.parse::<TokenStream>().is_ok_and(is_one_ident);
    if !is_snake || !is_word(&name) || ["_", "self", "super", "crate"].contains(&&*name) {
        let message = "the name of a stream is a word in snake case, as in `name = \"too_late\"`";
        return Err(Error::new_spanned(text, message));
    }
    Ok(identifier(&name, text.span()))
}

fn is_one_ident(tokens: TokenStream) -> bool {
    let mut trees = tokens.into_iter();
    matches!((trees.next(), trees.next()), (Some(TokenTree::Ident(_)), None))
}
