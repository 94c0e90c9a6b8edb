//! The format itself: lengths and variants are one byte, numbers eight, little end first.
//! What records do not need is refused.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::ser::{Error, Impossible, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};

use crate::record::RecordError;

type Outcome<T> = Result<T, RecordError>;

pub(super) fn write<T: Serialize>(value: &T) -> Vec<u8> {
    let mut writer = Writer(Vec::new());
    value.serialize(&mut writer).unwrap();
    writer.0
}

pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Outcome<T> {
    T::deserialize(&mut Reader(bytes))
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, length: usize) {
        self.0.push(u8::try_from(length).unwrap());
    }
}

macro_rules! refused {
    ($($method:ident($($ty:ty),*) -> $ok:ty)*) => {$(
        fn $method(self, $(_: $ty),*) -> Outcome<$ok> {
            Err(RecordError::custom(stringify!($method)))
        }
    )*};
}

type Never = Impossible<(), RecordError>;
type Name = &'static str;

impl Serializer for &mut Writer {
    type Ok = ();
    type Error = RecordError;
    type SerializeSeq = Self;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Never;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, truth: bool) -> Outcome<()> {
        self.byte(usize::from(truth));
        Ok(())
    }

    fn serialize_i64(self, number: i64) -> Outcome<()> {
        self.0.extend(number.to_le_bytes());
        Ok(())
    }

    fn serialize_u64(self, number: u64) -> Outcome<()> {
        self.0.extend(number.to_le_bytes());
        Ok(())
    }

    fn serialize_f64(self, number: f64) -> Outcome<()> {
        self.0.extend(number.to_le_bytes());
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Outcome<()> {
        self.serialize_bytes(text.as_bytes())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Outcome<()> {
        self.byte(bytes.len());
        self.0.extend(bytes);
        Ok(())
    }

    fn serialize_unit_variant(self, _: Name, index: u32, _: Name) -> Outcome<()> {
        self.byte(index as usize);
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: Name,
        index: u32,
        _: Name,
        inner: &T,
    ) -> Outcome<()> {
        self.byte(index as usize);
        inner.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Outcome<Self> {
        self.byte(length.unwrap());
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Outcome<Self> {
        self.serialize_seq(length)
    }

    fn serialize_struct(self, _: Name, _: usize) -> Outcome<Self> {
        Ok(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Outcome<()> {
        Err(RecordError::custom("some"))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: Name, _: &T) -> Outcome<()> {
        Err(RecordError::custom("newtype struct"))
    }

    refused! {
        serialize_i8(i8) -> () serialize_i16(i16) -> () serialize_i32(i32) -> ()
        serialize_u8(u8) -> () serialize_u16(u16) -> () serialize_u32(u32) -> ()
        serialize_f32(f32) -> () serialize_char(char) -> ()
        serialize_none() -> () serialize_unit() -> () serialize_unit_struct(Name) -> ()
        serialize_tuple(usize) -> Never serialize_tuple_struct(Name, usize) -> Never
        serialize_tuple_variant(Name, u32, Name, usize) -> Never
        serialize_struct_variant(Name, u32, Name, usize) -> Never
    }
}

impl SerializeSeq for &mut Writer {
    type Ok = ();
    type Error = RecordError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Outcome<()> {
        item.serialize(&mut **self)
    }

    fn end(self) -> Outcome<()> {
        Ok(())
    }
}

impl SerializeMap for &mut Writer {
    type Ok = ();
    type Error = RecordError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Outcome<()> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome<()> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Outcome<()> {
        Ok(())
    }
}

impl SerializeStruct for &mut Writer {
    type Ok = ();
    type Error = RecordError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: Name, value: &T) -> Outcome<()> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Outcome<()> {
        Ok(())
    }
}

struct Reader<'de>(&'de [u8]);

impl<'de> Reader<'de> {
    fn take(&mut self, length: usize) -> Outcome<&'de [u8]> {
        let end = || RecordError::custom("the end");
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(end)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Outcome<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn eight(&mut self) -> Outcome<[u8; 8]> {
        self.take(8).map(|taken| taken.try_into().unwrap())
    }

    fn block(&mut self) -> Outcome<&'de [u8]> {
        let length = self.byte()?;
        self.take(length.into())
    }

    fn counted(&mut self) -> Outcome<Counted<'_, 'de>> {
        let left = self.byte()?;
        Ok(Counted { reader: self, left })
    }
}

macro_rules! reads {
    ($($method:ident: $visit:ident($self:ident) $read:expr;)*) => {$(
        fn $method<V: Visitor<'de>>($self, visitor: V) -> Outcome<V::Value> {
            visitor.$visit($read)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = RecordError;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Outcome<V::Value> {
        Err(RecordError::custom("this format does not describe itself"))
    }

    reads! {
        deserialize_bool: visit_bool(self) self.byte()? == 1;
        deserialize_i64: visit_i64(self) i64::from_le_bytes(self.eight()?);
        deserialize_u64: visit_u64(self) u64::from_le_bytes(self.eight()?);
        deserialize_f64: visit_f64(self) f64::from_le_bytes(self.eight()?);
        deserialize_str: visit_borrowed_str(self) std::str::from_utf8(self.block()?).unwrap();
        deserialize_string: visit_borrowed_str(self) std::str::from_utf8(self.block()?).unwrap();
        deserialize_bytes: visit_borrowed_bytes(self) self.block()?;
        deserialize_byte_buf: visit_borrowed_bytes(self) self.block()?;
        deserialize_seq: visit_seq(self) self.counted()?;
        deserialize_map: visit_map(self) self.counted()?;
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: Name,
        fields: &'static [Name],
        visitor: V,
    ) -> Outcome<V::Value> {
        visitor.visit_seq(Counted { reader: self, left: u8::try_from(fields.len()).unwrap() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: Name,
        _: &'static [Name],
        visitor: V,
    ) -> Outcome<V::Value> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 char option unit unit_struct newtype_struct
        tuple tuple_struct identifier ignored_any
    }
}

struct Counted<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: u8,
}

impl<'de> SeqAccess<'de> for Counted<'_, 'de> {
    type Error = RecordError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Outcome<Option<T::Value>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Counted<'_, 'de> {
    type Error = RecordError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Outcome<Option<K::Value>> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Outcome<V::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> EnumAccess<'de> for &mut Reader<'de> {
    type Error = RecordError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Outcome<(V::Value, Self)> {
        let index: U32Deserializer<RecordError> = u32::from(self.byte()?).into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = RecordError;

    fn unit_variant(self) -> Outcome<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Outcome<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Outcome<V::Value> {
        Err(RecordError::custom("tuple variant"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [Name], _: V) -> Outcome<V::Value> {
        Err(RecordError::custom("struct variant"))
    }
}
