//! `derive(Streams)`: one port for each variant of an enum.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, Type, Variant};

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
    let text: Vec<String> = field.iter().map(|f| f.to_string().replace("r#", "")).collect();
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
            Ok(port) => ports.push(port),
            Err(error) => match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            },
        }
    }
    errors.map_or(Ok(ports), Err)
}

fn port(variant: &Variant) -> Result<Port> {
    let name = &variant.ident;
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(Port {
            variant: name.clone(),
            field: snake_case(name),
            ty: fields.unnamed[0].ty.clone(),
        }),
        _ => {
            let message = format!("`{name}` must hold exactly one tuple, as in `{name}(Alert)`");
            Err(Error::new_spanned(variant, message))
        }
    }
}

/// `TooLate` becomes `too_late`; keywords become raw identifiers.
fn snake_case(name: &Ident) -> Ident {
    let mut text = String::new();
    for (index, c) in name.to_string().chars().enumerate() {
        if c.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    syn::parse_str(&text).unwrap_or_else(|_| Ident::new_raw(&text, name.span()))
}
