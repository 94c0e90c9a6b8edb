//! The streams that a child may emit: their names, their fields, and what fits into them.

use std::sync::Arc;

use tormenta_dsl::{
    Error, Result, Streams,
    record::{Field, Record, Schema, Value},
};

/// A stream as it was declared: its name and its fields, not yet read.
pub(crate) type Declared = (String, Vec<String>);

/// The streams of a child, by port.
#[derive(Clone, Debug)]
pub(crate) struct Outputs(Vec<Output>);

#[derive(Clone, Debug)]
struct Output {
    name: String,
    schema: Arc<Schema>,
    fits: Vec<Fits>,
}

/// What a field takes: values of a kind, and where it is an `Option`, null.
#[derive(Clone, Copy, Debug)]
struct Fits {
    kind: Kind,
    or_null: bool,
}

impl Fits {
    fn of(kind: &str) -> Self {
        let inside = kind.strip_prefix("Option<").and_then(|kind| kind.strip_suffix('>'));
        Self { kind: Kind::of(inside.unwrap_or(kind)), or_null: inside.is_some() }
    }

    fn fit(self, value: Value) -> Result<Value, Value> {
        if self.or_null && value == Value::Null { Ok(value) } else { self.kind.fit(value) }
    }
}

/// What a field may hold, as far as its type is one that other languages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    Bool,
    Int(i64, i64),
    UInt,
    Float,
    Text,
}

impl Kind {
    fn of(kind: &str) -> Self {
        match kind {
            "bool" => Self::Bool,
            "i8" => Self::Int(i8::MIN.into(), i8::MAX.into()),
            "i16" => Self::Int(i16::MIN.into(), i16::MAX.into()),
            "i32" => Self::Int(i32::MIN.into(), i32::MAX.into()),
            "i64" => Self::Int(i64::MIN, i64::MAX),
            "u8" => Self::Int(0, u8::MAX.into()),
            "u16" => Self::Int(0, u16::MAX.into()),
            "u32" => Self::Int(0, u32::MAX.into()),
            "u64" => Self::UInt,
            "f32" | "f64" => Self::Float,
            "String" | "str" => Self::Text,
            _ => Self::Any,
        }
    }

    /// The value, as one of this kind. Whole numbers are numbers with a point too, in most
    /// languages.
    fn fit(self, value: Value) -> Result<Value, Value> {
        let fits = match (self, &value) {
            (Self::Float, Value::Int(_) | Value::UInt(_)) => {
                return Ok(Value::Float(value.as_float().unwrap_or_default()));
            }
            (Self::Any, _)
            | (Self::Bool, Value::Bool(_))
            | (Self::Float, Value::Float(_))
            | (Self::Text, Value::Text(_)) => true,
            (Self::Int(min, max), Value::Int(n)) => (min..=max).contains(n),
            (Self::UInt, value) => value.as_uint().is_some(),
            _ => false,
        };
        if fits { Ok(value) } else { Err(value) }
    }
}

impl Outputs {
    /// The streams that were declared; where there are none, those of the type.
    pub(crate) fn new<O: Streams>(declared: &[Declared]) -> Result<Self> {
        let infos = O::infos();
        if declared.is_empty() {
            let output = |info: tormenta_dsl::PortInfo| Output::new(info.name, info.schema);
            return Ok(Self(infos.into_iter().map(output).collect()));
        }
        if declared.len() > infos.len() {
            return Err(Error::msg(format!(
                "{} outputs are declared, but there are {} streams: declare them together, with \
                 `outputs([..])`",
                declared.len(),
                infos.len()
            )));
        }
        let mut outputs: Vec<Output> = Vec::new();
        for (name, fields) in declared {
            if outputs.iter().any(|output| output.name == *name) {
                return Err(Error::msg(format!("two outputs are called `{name}`: rename one")));
            }
            outputs.push(Output::new(name, Arc::new(schema(name, fields)?)));
        }
        Ok(Self(outputs))
    }

    /// The port of a stream and the record of these values; the reason why there is none.
    pub(crate) fn record(
        &self,
        stream: Option<&str>,
        values: Vec<Value>,
    ) -> Result<(usize, Record), String> {
        let name = stream.unwrap_or("default");
        let position = self.0.iter().position(|output| output.name == name);
        // Who has one stream need not call it by its name.
        let lone = (stream.is_none() && self.0.len() == 1).then_some(0);
        let Some(port) = position.or(lone) else {
            return Err(format!("it has no output `{name}`: declare it, with its fields"));
        };
        let output = &self.0[port];
        if output.fits.len() != values.len() {
            let (expected, found) = (output.fits.len(), values.len());
            let fields = output.schema.to_string();
            return Err(format!("`{fields}` has {expected} fields, and it emitted {found} values"));
        }
        let fitted = values.into_iter().zip(&output.fits).enumerate().map(|(index, (v, fits))| {
            fits.fit(v).map_err(|value| {
                let field = &output.schema.fields()[index];
                format!("field `{field}` of `{name}` cannot be {value}")
            })
        });
        let values = fitted.collect::<Result<Vec<Value>, String>>()?;
        let record = Record::new(output.schema.clone(), values).map_err(|why| why.to_string())?;
        Ok((port, record))
    }

    /// The name of the stream of a port.
    pub(crate) fn name(&self, port: usize) -> &str {
        self.0.get(port).map_or("default", |output| &output.name)
    }

    /// Names and fields, for the handshake.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Schema)> {
        self.0.iter().map(|output| (output.name.as_str(), &*output.schema))
    }
}

impl Output {
    fn new(name: &str, schema: Arc<Schema>) -> Self {
        let fits = schema.fields().iter().map(|field| Fits::of(&field.kind)).collect();
        Self { name: name.to_owned(), schema, fits }
    }
}

/// Reads `word` and `count: u64`.
fn schema(name: &str, fields: &[String]) -> Result<Schema> {
    let field = |text: &String| {
        let (field, kind) = text.split_once(':').unwrap_or((text, "Value"));
        let (field, kind) = (field.trim(), kind.trim());
        if field.is_empty() || kind.is_empty() {
            let why = format!("`{text}` of output `{name}` is no field: write `word` or `n: u64`");
            return Err(Error::msg(why));
        }
        Ok(Field::new(field.to_owned(), kind.to_owned()))
    };
    let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
    Schema::from_fields(name.to_owned(), fields)
        .map_err(|why| Error::from(why).context(format!("output `{name}`")))
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::Records;

    fn declared(streams: &[(&str, &[&str])]) -> Vec<Declared> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        streams.iter().map(|(name, fields)| ((*name).to_owned(), owned(fields))).collect()
    }

    #[test]
    fn values_are_checked_against_their_fields() {
        let streams = declared(&[("default", &["word: String", "n: u8"]), ("bad", &["why"])]);
        let outputs = Outputs::new::<Records<2>>(&streams).expect("sound");
        let (port, record) = outputs.record(None, vec!["a".into(), 3.into()]).expect("fits");
        assert_eq!((port, record.get("n")), (0, Some(&3.into())));
        assert_eq!(outputs.record(Some("bad"), vec![Value::Null]).expect("fits").0, 1);
        for (stream, values, why) in [
            (None, vec![3.into(), 3.into()], "field `word: String` of `default` cannot be 3"),
            (None, vec!["a".into(), 256.into()], "field `n: u8` of `default` cannot be 256"),
            (None, vec![], "`default(word: String, n: u8)` has 2 fields, and it emitted 0 values"),
            (Some("x"), vec![], "it has no output `x`: declare it, with its fields"),
        ] {
            assert_eq!(outputs.record(stream, values).expect_err("refused"), why);
        }
    }

    #[test]
    fn a_whole_number_is_a_number() {
        let outputs = Outputs::new::<Record>(&declared(&[("out", &["x: f64"])])).expect("sound");
        let (_, record) = outputs.record(None, vec![2.into()]).expect("fits");
        assert_eq!(record.values(), [Value::Float(2.0)]);
    }

    #[test]
    fn null_fits_where_it_is_an_option() {
        let streams = declared(&[("out", &["n: Option<i64>", "text: String"])]);
        let outputs = Outputs::new::<Record>(&streams).expect("sound");
        for n in [Value::Null, 7.into()] {
            let (_, record) = outputs.record(None, vec![n.clone(), "a".into()]).expect("fits");
            assert_eq!(record.values()[0], n);
        }
        for values in [vec!["x".into(), "a".into()], vec![Value::Null, Value::Null]] {
            assert!(outputs.record(None, values).expect_err("refused").contains("cannot be"));
        }
    }

    #[test]
    fn what_is_declared_wrongly_is_named() {
        let refused = |streams: &[(&str, &[&str])]| {
            Outputs::new::<Record>(&declared(streams)).expect_err("refused").chain()
        };
        assert!(refused(&[("a", &[]), ("b", &[])]).starts_with("2 outputs are declared"));
        assert!(refused(&[("a", &[": u8"])]).contains("is no field"));
        assert!(refused(&[("a", &["x", "x"])]).starts_with("output `a`: "));
        let twice = declared(&[("a", &[]), ("a", &[])]);
        let twice = Outputs::new::<Records<2>>(&twice).expect_err("refused");
        assert_eq!(twice.to_string(), "two outputs are called `a`: rename one");
    }

    quickcheck! {
        fn integers_fit_where_rust_would_take_them(n: i64) -> bool {
            let fits = |kind: &str| Kind::of(kind).fit(n.into()).is_ok();
            fits("u8") == u8::try_from(n).is_ok()
                && fits("i16") == i16::try_from(n).is_ok()
                && fits("u32") == u32::try_from(n).is_ok()
                && fits("u64") == u64::try_from(n).is_ok()
                && fits("i64")
                && fits("Value")
                && !fits("String")
                && !fits("bool")
        }
    }
}
