//! What flows along a stream.

use std::sync::{Arc, LazyLock};

use serde::{Serialize, de::DeserializeOwned};

use crate::record::{Record, Schema};

/// A value that flows along a stream.
///
/// Derive it for structs with named fields, beside `Clone`, `Serialize` and `Deserialize`:
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::Tuple;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Swipe {
///     card: u64,
///     amount: i64,
/// }
/// assert_eq!(Swipe::schema().to_string(), "Swipe(card: u64, amount: i64)");
/// ```
///
/// The schema has the names that serde writes, so `#[serde(rename = "..")]`, `rename_all`, `skip`
/// and `default` may be used. What would make a record of another shape is refused, at the
/// attribute: `flatten`, `skip_serializing_if`, `transparent` and conversions. So is a generic
/// struct, because a schema names the types of its fields:
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// # use serde::{Deserialize, Serialize};
/// # use tormenta_dsl::Tuple;
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Reading {
///     sensor_id: u32,
///     #[serde(rename = "celsius")]
///     degrees: f64,
///     #[serde(skip)]
///     checked: bool,
/// }
/// assert_eq!(Reading::schema().to_string(), "Reading(sensorId: u32, celsius: f64)");
/// ```
///
/// Groupings name the fields as Rust does: `readings.by(|r| &r.sensor_id)`.
///
/// Integers, strings and bytes are tuples with one field, `value`, so that the smallest
/// topologies need no struct at all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot flow along a stream: it is no `Tuple`",
    label = "this type is no `Tuple`",
    note = "add `#[derive(Tuple, Clone, Serialize, Deserialize)]` to `{Self}`"
)]
pub trait Tuple: Clone + Send + Serialize + DeserializeOwned + 'static {
    /// Names and types of the fields.
    fn schema() -> Arc<Schema>;

    /// This tuple as a [`Record`], for dead letters and for components in other languages.
    ///
    /// # Errors
    /// When a field cannot be represented, such as a 128-bit integer.
    fn to_record(&self) -> Result<Record, crate::record::RecordError> {
        Record::of(Self::schema(), self)
    }
}

macro_rules! simple_tuple {
    ($($type:ty)*) => {$(
        impl Tuple for $type {
            fn schema() -> Arc<Schema> {
                static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
                    Arc::new(Schema::new(stringify!($type), &[("value", stringify!($type))]))
                });
                SCHEMA.clone()
            }
        }
    )*};
}

simple_tuple!(u8 u16 u32 u64 i8 i16 i32 i64 bool f32 f64 String bytes::Bytes);
