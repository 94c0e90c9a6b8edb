//! How serde walks our lists, maps and enums. Each step adds its name to an error passing by.

use std::collections::BTreeMap;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::key::KeyDeserializer;
use super::{RecordError, Value};

/// The elements of a list, in order.
pub(super) struct ListAccess<'de> {
    items: &'de [Value],
    next: usize,
}

impl<'de> ListAccess<'de> {
    /// Shows `items` to `visitor`, and insists that it looks at all of them: a tuple stops when it
    /// is full, and what is left over would be lost in silence.
    pub(super) fn visit<V: Visitor<'de>>(
        items: &'de [Value],
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        let mut access = Self { items, next: 0 };
        let value = visitor.visit_seq(&mut access)?;
        if access.next == items.len() {
            return Ok(value);
        }
        let expected = format!("a list of {}", access.next);
        Err(RecordError::mismatch(expected, format!("a list of {}", items.len())))
    }
}

impl<'de> SeqAccess<'de> for ListAccess<'de> {
    type Error = RecordError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, RecordError> {
        let Some(item) = self.items.get(self.next) else {
            return Ok(None);
        };
        let value = seed.deserialize(item).map_err(|error| error.within_index(self.next))?;
        self.next += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

/// Names and values: the entries of a map, or the fields of a record.
pub(super) struct EntriesAccess<'de, I> {
    entries: I,
    current: Option<(&'de str, &'de Value)>,
}

impl<'de, I: Iterator<Item = (&'de str, &'de Value)>> EntriesAccess<'de, I> {
    pub(super) fn new(entries: I) -> Self {
        Self { entries, current: None }
    }
}

impl<'de> EntriesAccess<'de, std::iter::Empty<(&'de str, &'de Value)>> {
    pub(super) fn of_map(
        map: &'de BTreeMap<String, Value>,
    ) -> EntriesAccess<'de, impl Iterator<Item = (&'de str, &'de Value)>> {
        EntriesAccess::new(map.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

impl<'de, I: Iterator<Item = (&'de str, &'de Value)>> MapAccess<'de> for EntriesAccess<'de, I> {
    type Error = RecordError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, RecordError> {
        self.current = self.entries.next();
        let Some((name, _)) = self.current else {
            return Ok(None);
        };
        seed.deserialize(KeyDeserializer { key: name }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, RecordError> {
        let current = self.current.take();
        let (name, value) = current.ok_or_else(|| RecordError::custom("a value before its key"))?;
        seed.deserialize(value).map_err(|error| error.within(name))
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint().1
    }
}

/// The variant of an enum, and what it carries.
pub(super) struct VariantChoice<'de> {
    pub(super) variant: &'de str,
    pub(super) inner: Option<&'de Value>,
}

impl<'de> VariantChoice<'de> {
    fn inner(&self, expected: &str) -> Result<&'de Value, RecordError> {
        let bare =
            || RecordError::mismatch(expected, format!("the bare variant `{}`", self.variant));
        self.inner.ok_or_else(bare)
    }
}

impl<'de> EnumAccess<'de> for VariantChoice<'de> {
    type Error = RecordError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), RecordError> {
        let variant = seed.deserialize(StrDeserializer::<RecordError>::new(self.variant))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for VariantChoice<'de> {
    type Error = RecordError;

    fn unit_variant(self) -> Result<(), RecordError> {
        match self.inner {
            None | Some(Value::Null) => Ok(()),
            Some(inner) => {
                let error =
                    RecordError::invalid_type(inner.unexpected(), &"a variant without value");
                Err(error.within(self.variant))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, RecordError> {
        let inner = self.inner("a variant with a value")?;
        seed.deserialize(inner).map_err(|error| error.within(self.variant))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, RecordError> {
        let inner = self.inner("a variant with a tuple")?;
        inner.deserialize_seq(visitor).map_err(|error| error.within(self.variant))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        let inner = self.inner("a variant with fields")?;
        inner.deserialize_map(visitor).map_err(|error| error.within(self.variant))
    }
}
