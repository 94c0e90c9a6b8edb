//! Keys, their canonical hash, and the key groups that they fall into.
//!
//! The hash is a contract: it must come out the same for a typed tuple, for the same values in a
//! [`Record`](crate::record::Record), in another language, and in every later version, because
//! saved state is filed by it. It is xxh3-64, chained over the fields of the key:
//!
//! ```text
//! h = 0
//! for each field:  h = xxh3_64(bytes, seed = h xor tag)
//!
//! integer   tag 1   8 bytes, two's complement, little endian (i64; above i64::MAX as u64, tag 2)
//! text      tag 3   its UTF-8 bytes; byte strings hash as the same text would
//! bool      tag 4   one byte, 0 or 1
//! nothing   tag 5   no bytes (`Option::None`)
//! ```
//!
//! The upper twelve bits of the hash are the [`KeyGroup`].

use std::fmt;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Key groups that state is divided into. A table maps groups to tasks, so that the number of
/// tasks can change while the group of a key never does.
pub const KEY_GROUPS: u32 = 4096;

const TAG_INT: u64 = 1;
const TAG_UINT: u64 = 2;
const TAG_TEXT: u64 = 3;
const TAG_BOOL: u64 = 4;
const TAG_NONE: u64 = 5;

/// A value that a stream can be grouped by.
///
/// Floats are no keys: `0.0` and `-0.0` are equal and `NaN` is not equal to itself.
#[diagnostic::on_unimplemented(
    message = "a stream cannot be grouped by `{Self}`: it is no `Key`",
    label = "groups by `{Self}`, which is no `Key`",
    note = "keys are integers, text, bytes, bools, and tuples or options of them; \
            convert the field in the key expression, or implement `Key` for `{Self}`"
)]
pub trait Key {
    /// Adds the canonical bytes of this key to `hasher`.
    fn hash_key(&self, hasher: &mut KeyHasher);
}

/// Folds the fields of a key into its hash.
///
/// ```
/// use tormenta_dsl::KeyHasher;
///
/// let mut hasher = KeyHasher::new();
/// hasher.add("storm").add(&7u32);
/// assert_eq!(hasher.hash(), 0xd1e7_2655_8f05_f5bb);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct KeyHasher(u64);

impl KeyHasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one field of a composite key.
    #[inline]
    pub fn add<K: Key + ?Sized>(&mut self, key: &K) -> &mut Self {
        key.hash_key(self);
        self
    }

    /// The hash of what was added.
    #[must_use]
    #[inline]
    pub fn hash(self) -> u64 {
        self.0
    }

    /// The group of what was added.
    #[must_use]
    #[inline]
    pub fn group(self) -> KeyGroup {
        KeyGroup::of_hash(self.0)
    }

    #[inline]
    fn field(&mut self, tag: u64, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0 ^ tag);
    }
}

/// One of the [`KEY_GROUPS`] parts that keys, and the state under them, are divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyGroup(u16);

impl KeyGroup {
    /// The group of a key.
    #[must_use]
    pub fn of<K: Key + ?Sized>(key: &K) -> Self {
        let mut hasher = KeyHasher::new();
        key.hash_key(&mut hasher);
        hasher.group()
    }

    /// The group of a key with this hash.
    #[must_use]
    #[inline]
    pub fn of_hash(hash: u64) -> Self {
        Self((hash >> 52) as u16)
    }

    /// The task that owns the group when `tasks` share the groups in even, contiguous ranges.
    #[must_use]
    #[inline]
    pub fn owner(self, tasks: usize) -> usize {
        self.0 as usize * tasks / KEY_GROUPS as usize
    }

    /// Number of the group, below [`KEY_GROUPS`].
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for KeyGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! signed_keys {
    ($($type:ty)*) => {$(
        impl Key for $type {
            #[inline]
            fn hash_key(&self, hasher: &mut KeyHasher) {
                hasher.field(TAG_INT, &(*self as i64).to_le_bytes());
            }
        }
    )*};
}

signed_keys!(i8 i16 i32 i64 isize u8 u16 u32);

macro_rules! unsigned_keys {
    ($($type:ty)*) => {$(
        impl Key for $type {
            #[inline]
            fn hash_key(&self, hasher: &mut KeyHasher) {
                let value = *self as u64;
                let tag = if value > i64::MAX as u64 { TAG_UINT } else { TAG_INT };
                hasher.field(tag, &value.to_le_bytes());
            }
        }
    )*};
}

unsigned_keys!(u64 usize);

macro_rules! text_keys {
    ($($type:ty)*) => {$(
        impl Key for $type {
            #[inline]
            fn hash_key(&self, hasher: &mut KeyHasher) {
                hasher.field(TAG_TEXT, self.as_ref());
            }
        }
    )*};
}

text_keys!(str String [u8] Vec<u8> Bytes);

impl Key for bool {
    fn hash_key(&self, hasher: &mut KeyHasher) {
        hasher.field(TAG_BOOL, &[u8::from(*self)]);
    }
}

impl<K: Key> Key for Option<K> {
    fn hash_key(&self, hasher: &mut KeyHasher) {
        match self {
            Some(key) => key.hash_key(hasher),
            None => hasher.field(TAG_NONE, &[]),
        }
    }
}

impl<K: Key + ?Sized> Key for &K {
    #[inline]
    fn hash_key(&self, hasher: &mut KeyHasher) {
        (**self).hash_key(hasher);
    }
}

macro_rules! composite_keys {
    ($($name:ident)*) => {
        impl<$($name: Key),*> Key for ($($name,)*) {
            #[inline]
            #[allow(non_snake_case, reason = "the type parameters name the fields")]
            fn hash_key(&self, hasher: &mut KeyHasher) {
                let ($($name,)*) = self;
                $($name.hash_key(hasher);)*
            }
        }
    };
}

composite_keys!(A B);
composite_keys!(A B C);
composite_keys!(A B C D);

#[cfg(test)]
mod tests {
    use super::*;

    fn hash<K: Key + ?Sized>(key: &K) -> u64 {
        KeyHasher::new().add(key).hash()
    }

    #[test]
    fn golden_values_never_change() {
        let golden: [(u64, u64); 8] = [
            (hash(&0i64), 0x9e51_ad6d_2f3e_695c),
            (hash(&-1i32), 0x7b01_6d4c_cc01_c9bf),
            (hash(&u64::MAX), 0x69ac_43b1_fe16_8c79),
            (hash("storm"), 0x746b_284c_bb1b_be69),
            (hash(""), 0xd8d1_3f8b_2da6_c9ad),
            (hash(&true), 0x6f0a_bcaf_2041_1591),
            (hash(&None::<u32>), 0x388e_c5bd_0562_e095),
            (hash(&("storm", 7u32)), 0xd1e7_2655_8f05_f5bb),
        ];
        for (index, (found, expected)) in golden.into_iter().enumerate() {
            assert_eq!(found, expected, "case {index}: {found:#018x}");
        }
    }

    #[test]
    fn equal_keys_of_different_types_agree() {
        assert_eq!(hash(&7u8), hash(&7i64));
        assert_eq!(hash(&7u64), hash(&7i64));
        assert_eq!(hash("word"), hash(&Bytes::from_static(b"word")));
        assert_eq!(hash(&("a", 1u8)), KeyHasher::new().add("a").add(&1u64).hash());
        assert_ne!(hash(&("ab", "c")), hash(&("a", "bc")));
    }

    #[test]
    fn every_task_owns_an_even_share_of_the_groups() {
        for tasks in 1..=64usize {
            let mut owned = vec![0u32; tasks];
            for number in 0..KEY_GROUPS as u16 {
                owned[KeyGroup(number).owner(tasks)] += 1;
            }
            let (low, high) = (owned.iter().min(), owned.iter().max());
            assert!(high.unwrap() - low.unwrap() <= 1, "{tasks} tasks: {owned:?}");
        }
    }
}
