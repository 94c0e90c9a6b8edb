//! What a window makes of its rows: counts, sums, extremes, means, the most frequent.

use std::{cmp::Reverse, sync::Arc};

use rustc_hash::FxHashMap;
use tormenta::{bolts::window::Aggregate, record::Value};

use super::filter::compare;
use crate::{
    key::Key,
    read::{
        document::{Item, Node},
        kinds::Field,
        notes::At,
        params::{Param, Wrong},
        suggest::suggest,
    },
    row::Row,
    shape::{Kind, Slot},
};

/// What is asked of each window, and what it is called.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) name: At<String>,
    pub(crate) what: What,
    /// What it is asked of; a count is of nothing.
    pub(crate) field: Option<Field>,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    /// So many that come most often.
    Top(usize),
}

/// All that is asked of a window.
#[derive(Debug, Clone)]
pub(crate) struct Asks(pub(crate) Vec<Asked>);

const WORDS: [&str; 6] = ["count", "sum", "mean", "min", "max", "top"];

impl Param for Asks {
    const KIND: &'static str = "a list of `count`, `sum <field>`, `mean <field>`, `min <field>`, \
                                `max <field>`, `top <n> <field>`, each with `name = ` before it \
                                or not";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let asks = crate::read::kinds::one_or_many(node, ask)?;
        for (index, asked) in asks.iter().enumerate() {
            if asks[..index].iter().any(|other| other.name.value == asked.name.value) {
                let name = &asked.name.value;
                let why = format!("two results are called `{name}`; write `other = ..` for one");
                return Err(Wrong::value(&asked.name.span, why));
            }
        }
        Ok(Self(asks))
    }
}

fn ask(node: &Node) -> Result<Asked, Wrong> {
    let Item::Text(text, _) = &node.value else { return Err(Wrong::Kind) };
    let (name, asked) = match text.split_once('=') {
        Some((name, asked)) => (Some(name.trim()), asked),
        None => (None, text.as_str()),
    };
    let words: Vec<&str> = asked.split_whitespace().collect();
    let refuse = |why: String| Err(Wrong::value(&node.span, why));
    let (what, field) = match words[..] {
        ["count"] => (What::Count, None),
        ["sum", field] => (What::Sum, Some(field)),
        ["mean", field] => (What::Mean, Some(field)),
        ["min", field] => (What::Min, Some(field)),
        ["max", field] => (What::Max, Some(field)),
        ["top", n, field] => match n.parse() {
            Ok(n) if n > 0 => (What::Top(n), Some(field)),
            _ => return refuse(format!("`{n}` is no number above zero; write `top 3 {field}`")),
        },
        [word, ..] if !WORDS.contains(&word) => {
            return refuse(format!("unknown `{word}`; {}", suggest(word, WORDS)));
        }
        _ => return refuse(format!("`{asked}` is not complete; write {}", Asks::KIND)),
    };
    let own = field.map_or_else(|| words[0].to_owned(), |field| format!("{}_{field}", words[0]));
    let name = name.filter(|name| !name.is_empty()).map_or(own, str::to_owned);
    let at = |value: String| At { value, span: node.span.clone() };
    Ok(Asked { name: at(name), what, field: field.map(|field| at(field.to_owned())) })
}

impl What {
    /// What comes of a field of this kind; `None` if it is not for such fields.
    pub(crate) fn kind(self, of: Kind) -> Option<Kind> {
        match self {
            Self::Count => Some(Kind::Int),
            Self::Sum => of.is_number().then_some(of),
            Self::Mean => of.is_number().then_some(Kind::Float),
            Self::Min | Self::Max => Some(of),
            Self::Top(_) => Some(Kind::Any),
        }
    }
}

/// Folds the rows of a window.
#[derive(Clone)]
pub(crate) struct Fold(pub(crate) Arc<[(What, Slot)]>);

/// What is kept of the rows so far.
#[derive(Clone, Debug)]
pub(crate) enum Partial {
    Count(u64),
    Sum(Total),
    Extreme(Value),
    Top(FxHashMap<Key, u64>),
}

/// A sum: of integers without rounding, of floats as they come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Total {
    whole: i128,
    float: f64,
    has_floats: bool,
    count: u64,
}

impl Total {
    fn add(&mut self, value: &Value) {
        if let Value::Float(number) = value {
            self.float += number;
            self.has_floats = true;
        } else if let Some(number) = value.as_int() {
            self.whole += i128::from(number);
        } else if let Some(number) = value.as_uint() {
            self.whole += i128::from(number);
        } else {
            return;
        }
        self.count += 1;
    }

    fn merge(&mut self, other: Self) {
        self.whole += other.whole;
        self.float += other.float;
        self.has_floats |= other.has_floats;
        self.count += other.count;
    }

    fn as_float(self) -> f64 {
        self.whole as f64 + self.float
    }

    /// Null where there was no number.
    fn sum(self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        match i64::try_from(self.whole) {
            Ok(whole) if !self.has_floats => Value::Int(whole),
            _ => Value::Float(self.as_float()),
        }
    }

    fn mean(self) -> Value {
        match self.count {
            0 => Value::Null,
            count => Value::Float(self.as_float() / count as f64),
        }
    }
}

/// The smaller or larger of two values. Null, and what cannot be compared, is left out.
fn extreme(what: What, best: &mut Value, value: &Value) {
    if best.is_null() {
        best.clone_from(value);
        return;
    }
    let order = compare(value, best);
    let beats = match what {
        What::Min => order.is_some_and(std::cmp::Ordering::is_lt),
        _ => order.is_some_and(std::cmp::Ordering::is_gt),
    };
    if beats {
        best.clone_from(value);
    }
}

impl Fold {
    fn empty(what: What) -> Partial {
        match what {
            What::Count => Partial::Count(0),
            What::Sum | What::Mean => Partial::Sum(Total::default()),
            What::Min | What::Max => Partial::Extreme(Value::Null),
            What::Top(_) => Partial::Top(FxHashMap::default()),
        }
    }
}

impl Aggregate for Fold {
    type In = Row;
    type State = Vec<Partial>;
    type Out = Vec<Value>;

    fn first(&self, row: &Row) -> Vec<Partial> {
        let mut state: Vec<Partial> = self.0.iter().map(|(what, _)| Self::empty(*what)).collect();
        self.combine(&mut state, row);
        state
    }

    fn combine(&self, state: &mut Vec<Partial>, row: &Row) {
        for ((what, slot), partial) in self.0.iter().zip(state) {
            match partial {
                Partial::Count(count) => *count += 1,
                Partial::Sum(total) => total.add(row.at(slot.at)),
                Partial::Extreme(best) => extreme(*what, best, row.at(slot.at)),
                Partial::Top(counts) => *counts.entry(Key::of(row, &[*slot])).or_default() += 1,
            }
        }
    }

    fn merge(&self, state: &mut Vec<Partial>, other: Vec<Partial>) {
        for (((what, _), mine), other) in self.0.iter().zip(state).zip(other) {
            match (mine, other) {
                (Partial::Count(mine), Partial::Count(other)) => *mine += other,
                (Partial::Sum(mine), Partial::Sum(other)) => mine.merge(other),
                (Partial::Extreme(mine), Partial::Extreme(other)) => extreme(*what, mine, &other),
                (Partial::Top(mine), Partial::Top(other)) => {
                    for (key, count) in other {
                        *mine.entry(key).or_default() += count;
                    }
                }
                _ => unreachable!("two parts of one window were folded in two ways"),
            }
        }
    }

    fn result(&self, state: &Vec<Partial>) -> Vec<Value> {
        let result = |((what, _), partial): (&(What, Slot), &Partial)| match (what, partial) {
            (What::Mean, Partial::Sum(total)) => total.mean(),
            (_, Partial::Sum(total)) => total.sum(),
            (_, Partial::Count(count)) => Value::from(*count),
            (_, Partial::Extreme(best)) => owned(best),
            (What::Top(n), Partial::Top(counts)) => ranked(counts, *n),
            (_, Partial::Top(counts)) => ranked(counts, counts.len()),
        };
        self.0.iter().zip(state).map(result).collect()
    }
}

/// A copy that keeps no chunk of a file in memory.
fn owned(value: &Value) -> Value {
    match value {
        Value::Bytes(bytes) => Value::from(&bytes[..]),
        other => other.clone(),
    }
}

/// `[["storm", 3], ["rain", 2]]`, ties in the order of the keys.
fn ranked(counts: &FxHashMap<Key, u64>, n: usize) -> Value {
    let mut ranked: Vec<(&Key, u64)> = counts.iter().map(|(key, count)| (key, *count)).collect();
    ranked.sort_unstable_by_key(|(key, count)| (Reverse(*count), *key));
    ranked.truncate(n);
    let pair =
        |(key, count): (&Key, u64)| Value::List(key.values().chain([Value::from(count)]).collect());
    Value::List(ranked.into_iter().map(pair).collect())
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::{read::document::parse_value, shape::Shape};

    fn fold(what: &[What]) -> Fold {
        let slot = Slot { at: 0, kind: Kind::Any };
        Fold(what.iter().map(|what| (*what, slot)).collect())
    }

    fn folded(fold: &Fold, values: &[Value]) -> Option<Vec<Partial>> {
        let shape = Shape::of([("x", Kind::Any)]);
        let mut rows = values.iter().map(|value| Row::new(shape.schema(), vec![value.clone()]));
        let mut state = fold.first(&rows.next()?);
        rows.for_each(|row| fold.combine(&mut state, &row));
        Some(state)
    }

    const ALL: [What; 6] = [What::Count, What::Sum, What::Mean, What::Min, What::Max, What::Top(2)];

    quickcheck! {
        /// However a window is put together, and against what a list says.
        fn parts_are_the_whole(left: Vec<i16>, right: Vec<i16>) -> bool {
            let fold = fold(&ALL);
            let values: Vec<Value> = left.iter().chain(&right).map(|n| Value::from(*n)).collect();
            let (Some(whole), Some(mut a), Some(b)) = (
                folded(&fold, &values),
                folded(&fold, &values[..left.len()]),
                folded(&fold, &values[left.len()..]),
            ) else {
                return true;
            };
            fold.merge(&mut a, b);
            let numbers: Vec<i64> = left.iter().chain(&right).map(|n| i64::from(*n)).collect();
            let sum: i64 = numbers.iter().sum();
            let expected: Vec<Value> = vec![
                numbers.len().into(),
                sum.into(),
                (sum as f64 / numbers.len() as f64).into(),
                numbers.iter().copied().min().into(),
                numbers.iter().copied().max().into(),
            ];
            fold.result(&a) == fold.result(&whole) && fold.result(&a)[..5] == expected[..]
        }
    }

    #[test]
    fn null_is_left_out_and_floats_are_floats() {
        let fold = fold(&ALL);
        let state = folded(&fold, &[Value::Null, 1.into(), 0.5.into(), 1.into()]).expect("some");
        let result = Value::List(fold.result(&state)).to_string();
        assert_eq!(result, "[4, 2.5, 0.8333333333333334, 0.5, 1, [[1, 2], [null, 1]]]");
        let state = folded(&fold, &[Value::Null]).expect("one");
        assert_eq!(
            Value::List(fold.result(&state)).to_string(),
            "[1, null, null, null, null, [[null, 1]]]"
        );
    }

    #[test]
    fn what_is_asked_has_a_name() {
        let read = |text: &str| Asks::read(&parse_value(text).expect("TOML"));
        let asks = read("[\"n = count\", \"sum bytes\", \"top 3 url\"]").expect("three");
        let names: Vec<&str> = asks.0.iter().map(|asked| asked.name.value.as_str()).collect();
        assert_eq!(names, ["n", "sum_bytes", "top_url"]);
        for (text, says) in [
            ("\"sun bytes\"", "did you mean `sum`?"),
            ("\"sum\"", "is not complete"),
            ("\"top 0 x\"", "no number above zero"),
            ("[\"count\", \"count\"]", "two results are called `count`"),
        ] {
            let Err(Wrong::Value(_, why)) = read(text) else { panic!("{text}") };
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
