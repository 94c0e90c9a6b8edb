//! `derive(Tuple)`: the names and types of the fields.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Error, Fields, Result, ext::IdentExt as _};

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
    let fields = fields.named.iter().map(|field| {
        // Without `r#`, as serde names it.
        let ident = field.ident.as_ref().map(|ident| ident.unraw().to_string());
        let kind = type_text(&field.ty);
        quote!((#ident, #kind))
    });
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics ::tormenta::Tuple for #name #type_generics #where_clause {
            fn schema() -> ::tormenta::__private::Arc<::tormenta::record::Schema> {
                static SCHEMA: ::tormenta::__private::LazyLock<
                    ::tormenta::__private::Arc<::tormenta::record::Schema>,
                > = ::tormenta::__private::LazyLock::new(|| {
                    ::tormenta::__private::Arc::new(::tormenta::record::Schema::new(
                        stringify!(#name),
                        &[#(#fields),*],
                    ))
                });
                ::tormenta::__private::Arc::clone(&SCHEMA)
            }
        }
    })
}

/// The type as its author wrote it, without the spaces that tokens are printed with.
fn type_text(ty: &syn::Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}
