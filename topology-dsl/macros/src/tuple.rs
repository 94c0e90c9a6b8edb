//! `derive(Tuple)`: the names and types of the fields, as serde writes them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Error, Field, Fields, Result, ext::IdentExt as _};

use crate::serde_names::{self, Renamed};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let Data::Struct(data) = &input.data else {
        let message = format!(
            "`{name}` is no struct: a tuple is a struct with named fields; for an output with \
             several streams derive `Streams`"
        );
        return Err(Error::new_spanned(name, message));
    };
    let Fields::Named(fields) = &data.fields else {
        let message = format!("the fields of `{name}` need names: streams are grouped by them");
        return Err(Error::new_spanned(name, message));
    };
    if !input.generics.params.is_empty() {
        let message = format!(
            "`{name}` cannot be generic: a tuple has one schema, which names the types of its \
             fields; write a struct for each type"
        );
        return Err(Error::new_spanned(&input.generics, message));
    }
    let struct_name = name.unraw().to_string();
    let renamed = serde_names::of_struct(&input.attrs, struct_name);
    let fields = schema_fields(fields.named.iter(), &renamed);
    let (renamed, fields) = both(renamed, fields)?;
    let schema_name = &renamed.name;
    let fields = fields.iter().map(|(name, kind)| quote!((#name, #kind)));
    Ok(quote! {
        impl ::tormenta::Tuple for #name {
            fn schema() -> ::tormenta::__private::Arc<::tormenta::record::Schema> {
                static SCHEMA: ::tormenta::__private::LazyLock<
                    ::tormenta::__private::Arc<::tormenta::record::Schema>,
                > = ::tormenta::__private::LazyLock::new(|| {
                    ::tormenta::__private::Arc::new(::tormenta::record::Schema::new(
                        #schema_name,
                        &[#(#fields),*],
                    ))
                });
                ::tormenta::__private::Arc::clone(&SCHEMA)
            }
        }
    })
}

/// Names and types of the fields that a record has.
fn schema_fields<'f>(
    fields: impl Iterator<Item = &'f Field>,
    renamed: &Result<Renamed>,
) -> Result<Vec<(String, String)>> {
    let mut found = Vec::<(String, String)>::new();
    let mut errors = None;
    for field in fields {
        // Without `r#`, as serde names it.
        let ident = field.ident.as_ref().map(|ident| ident.unraw().to_string());
        let rule = renamed.as_ref().map_or(serde_names::Rule::None, |renamed| renamed.rule);
        match serde_names::of_field(&field.attrs, ident.unwrap_or_default(), rule) {
            Ok(Some(name)) if found.iter().any(|(other, _)| *other == name) => {
                let message = format!("two fields are called `{name}`: rename one of them");
                push(&mut errors, Error::new_spanned(&field.ident, message));
            }
            Ok(Some(name)) => found.push((name, type_text(&field.ty))),
            Ok(None) => {}
            Err(error) => push(&mut errors, error),
        }
    }
    errors.map_or(Ok(found), Err)
}

/// Both of them, or all that is wrong with either.
fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut error), Err(more)) => {
            error.combine(more);
            Err(error)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

pub(crate) fn push(errors: &mut Option<Error>, error: Error) {
    match errors {
        Some(errors) => errors.combine(error),
        None => *errors = Some(error),
    }
}

/// The type as its author wrote it, without the spaces that tokens are printed with.
fn type_text(ty: &syn::Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}
