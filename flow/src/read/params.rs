//! Parameters: declared once, in a table of code, for the reader, the command line and the docs.

use super::{
    document::{Item, Node, Table, parse_value},
    notes::{Notes, Span},
    suggest::suggest,
};
use crate::plan::Part;

/// A component, or a group of settings, as people read about it.
///
/// ```
/// let tail = tormenta_flow::component("tail").expect("there is one");
/// assert_eq!(tail.params[0].name, "path");
/// ```
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct ComponentDoc {
    /// What a flow calls it, as in `type = "tail"`.
    pub name: &'static str,
    /// Whether it is a spout or a bolt.
    pub role: Role,
    /// What it does. Lines are wrapped as in the code.
    pub about: &'static str,
    /// The fields of its streams.
    pub emits: &'static str,
    /// Its parameters.
    pub params: &'static [ParamDoc],
}

/// Spout or bolt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A source of tuples.
    Spout,
    /// Works on tuples.
    Bolt,
}

impl Role {
    /// The table of a flow that such components stand in.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Spout => "spouts",
            Self::Bolt => "bolts",
        }
    }

    /// `spout` or `bolt`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Spout => "spout",
            Self::Bolt => "bolt",
        }
    }
}

/// A parameter, as people read about it.
///
/// ```
/// let tail = tormenta_flow::component("tail").expect("there is one");
/// assert_eq!(tail.params[0].need, tormenta_flow::Need::Required);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ParamDoc {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What it wants, in words.
    pub kind: &'static str,
    /// Whether it may be left out.
    pub need: Need,
    /// A value, as TOML.
    pub example: &'static str,
}

/// Whether a parameter may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "need", content = "default")]
pub enum Need {
    /// It must be given.
    Required,
    /// Without it, something is not done.
    Optional,
    /// It has this default, as TOML.
    Default(&'static str),
}

/// What a parameter can be.
pub(crate) trait Param: Sized {
    /// What is wanted, in words that go after "it wants".
    const KIND: &'static str;

    /// Reads it.
    fn read(node: &Node) -> Result<Self, Wrong>;
}

/// Why a value is not what is wanted.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// It is of another kind.
    Kind,
    /// It is of the right kind, but not good: where, and why.
    Value(Span, String),
}

impl Wrong {
    pub(crate) fn value(span: &Span, why: impl Into<String>) -> Self {
        Self::Value(span.clone(), why.into())
    }
}

impl<P: Param> Param for Option<P> {
    const KIND: &'static str = P::KIND;

    fn read(node: &Node) -> Result<Self, Wrong> {
        P::read(node).map(Some)
    }
}

/// Reads the parameters of one component.
pub(crate) struct Reader<'a> {
    /// What was declared and not asked for yet.
    pub(crate) table: &'a mut Table,
    pub(crate) notes: &'a mut Notes,
    /// Where the component is named.
    pub(crate) header: Span,
    /// What it is called, for messages.
    pub(crate) whose: String,
}

impl Reader<'_> {
    /// A parameter. `None` if it is missing or wrong, and has no default; that is noted then.
    pub(crate) fn param<P: Param>(&mut self, doc: &ParamDoc) -> Option<P> {
        let ParamDoc { name, example, need, .. } = *doc;
        if let Some(entry) = self.table.take(name) {
            match P::read(&entry.node) {
                Ok(value) => return Some(value),
                Err(Wrong::Value(span, why)) => {
                    self.notes.add(&span, format!("`{name}` of {}: {why}", self.whose));
                }
                Err(Wrong::Kind) => {
                    let (whose, found) = (&self.whose, entry.node.value.kind());
                    let why = format!(
                        "`{name}` of {whose} is {found}; write {}, such as `{name} = {example}`",
                        P::KIND
                    );
                    self.notes.add(&entry.node.span, why);
                }
            }
        } else if need == Need::Required {
            let why = format!("{} has no `{name}`; add it: `{name} = {example}`", self.whose);
            self.notes.add(&self.header, why);
        }
        match need {
            Need::Default(text) => parse_value(text).and_then(|node| P::read(&node).ok()),
            // An `Option` has its default by itself: see `component!`.
            Need::Required | Need::Optional => None,
        }
    }

    /// Notes what nobody asked for.
    pub(crate) fn refuse_rest(&mut self, known: &[&str]) {
        for entry in std::mem::take(&mut self.table.0) {
            let (name, whose) = (&entry.name.value, &self.whose);
            let mend = suggest(name, known.iter().copied());
            let why = format!("{whose} has no parameter `{name}`; {mend}");
            self.notes.add(&entry.name.span, why);
        }
    }
}

/// A group of parameters that can be read.
pub(crate) trait Params: Sized {
    const DOC: &'static ComponentDoc;

    /// Reads all of them; `None` if one that is needed is missing or wrong.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// A line of the registry: what a component says about itself, and how it is read.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) doc: &'static ComponentDoc,
    pub(crate) read: fn(&mut Reader<'_>) -> Option<Box<dyn Part>>,
}

impl Entry {
    pub(crate) const fn of<C: Params + Part + 'static>() -> Self {
        fn read<C: Params + Part + 'static>(reader: &mut Reader<'_>) -> Option<Box<dyn Part>> {
            C::read(reader).map(|part| Box::new(part) as Box<dyn Part>)
        }
        Self { doc: C::DOC, read: read::<C> }
    }
}

/// Declares a component: the struct of its parameters, and all that is said about them.
///
/// ```text
/// component! {
///     /// What it does.
///     Name: bolt "name", "the fields it emits";
///
///     /// What the parameter is for.
///     field: Type, required, "an example, as TOML";
///     /// The same, with a default.
///     other: Type, or "a default, as TOML", "an example, as TOML";
///     /// The same, where it may be left out.
///     third: Option<Type>, optional, "an example, as TOML";
/// }
/// ```
macro_rules! component {
    (
        $(#[doc = $about:literal])+
        $name:ident: $role:ident $called:literal, $emits:literal;
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty, $need:ident $($default:literal)?, $example:literal;
        )*
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: $type,)*
        }

        impl $crate::read::params::Params for $name {
            const DOC: &'static $crate::read::params::ComponentDoc =
                &$crate::read::params::ComponentDoc {
                    name: $called,
                    role: $crate::read::params::component!(@role $role),
                    about: concat!($($about, "\n"),+),
                    emits: $emits,
                    params: &[$($crate::read::params::ParamDoc {
                        name: stringify!($field),
                        about: concat!($($doc, "\n"),+),
                        kind: <$type as $crate::read::params::Param>::KIND,
                        need: $crate::read::params::component!(@need $need $($default)?),
                        example: $example,
                    },)*],
                };

            #[allow(unused_mut, unused_variables, reason = "not all have parameters")]
            fn read(reader: &mut $crate::read::params::Reader<'_>) -> Option<Self> {
                let mut docs = Self::DOC.params.iter();
                $(let $field: Option<$type> = match docs.next() {
                    Some(doc) => $crate::read::params::component!(@read $need reader doc),
                    None => None,
                };)*
                Some(Self { $($field: $field?,)* })
            }
        }
    };
    (@role spout) => { $crate::read::params::Role::Spout };
    (@role bolt) => { $crate::read::params::Role::Bolt };
    (@need required) => { $crate::read::params::Need::Required };
    (@need optional) => { $crate::read::params::Need::Optional };
    (@need or $default:literal) => { $crate::read::params::Need::Default($default) };
    (@read optional $reader:ident $doc:ident) => { Some($reader.param($doc).flatten()) };
    (@read $need:ident $reader:ident $doc:ident) => { $reader.param($doc) };
}

pub(crate) use component;

/// What a parameter wants: one of some words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$doc])* $variant,)+ }

        impl $crate::read::params::Param for $name {
            const KIND: &'static str = concat!("one of", $(" `", $word, "`"),+);

            fn read(
                node: &$crate::read::document::Node,
            ) -> Result<Self, $crate::read::params::Wrong> {
                let $crate::read::document::Item::Text(text, _) = &node.value else {
                    return Err($crate::read::params::Wrong::Kind);
                };
                match text.as_str() {
                    $($word => Ok(Self::$variant),)+
                    other => {
                        let mend = $crate::read::suggest::suggest(other, [$($word),+]);
                        let why = format!("unknown `{other}`; {mend}");
                        Err($crate::read::params::Wrong::value(&node.span, why))
                    }
                }
            }
        }
    };
}

pub(crate) use choice;

/// What a text from the environment says, where something else is wanted.
pub(crate) fn from_env(item: &Item) -> Option<&str> {
    match item {
        Item::Text(text, true) => Some(text.trim()),
        _ => None,
    }
}
