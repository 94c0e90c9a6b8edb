//! The aggregates that most windows need. All of them are exact.

use std::{cmp::Reverse, collections::HashMap, fmt, hash::Hash, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};

use super::Aggregate;

/// How many tuples there were.
///
/// ```
/// use tormenta_bolts::window::{Aggregate, Count};
///
/// let count = Count::<u64>::new();
/// assert_eq!(count.result(&count.first(&7)), 1);
/// ```
pub struct Count<I>(PhantomData<fn(&I)>);

impl<I> Count<I> {
    /// Counts.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<I> Default for Count<I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I> Clone for Count<I> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<I> fmt::Debug for Count<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Count")
    }
}

impl<I: 'static> Aggregate for Count<I> {
    type In = I;
    type State = u64;
    type Out = u64;

    #[inline]
    fn first(&self, _value: &I) -> u64 {
        1
    }

    #[inline]
    fn combine(&self, count: &mut u64, _value: &I) {
        *count += 1;
    }

    fn merge(&self, count: &mut u64, other: u64) {
        *count += other;
    }

    fn result(&self, count: &u64) -> u64 {
        *count
    }
}

macro_rules! of_a_field {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<F, I> {
            of: F,
            tuple: PhantomData<fn(&I)>,
        }

        impl<F, I> $name<F, I> {
            /// Of what `of` makes of each tuple.
            #[must_use]
            pub fn of<V>(of: F) -> Self
            where
                F: Fn(&I) -> V,
            {
                Self { of, tuple: PhantomData }
            }
        }

        impl<F: Clone, I> Clone for $name<F, I> {
            fn clone(&self) -> Self {
                Self { of: self.of.clone(), tuple: PhantomData }
            }
        }

        impl<F, I> fmt::Debug for $name<F, I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

of_a_field! {
    /// The sum of a field. It is kept in 128 bits; a result that does not fit 64 of them is the
    /// largest, or the smallest, that does. Money is in cents: floats would not be exact.
    ///
    /// ```
    /// use tormenta_bolts::window::{Aggregate, Sum};
    ///
    /// let sum = Sum::of(|n: &u32| i64::from(*n));
    /// let mut state = sum.first(&7);
    /// sum.combine(&mut state, &5);
    /// assert_eq!(sum.result(&state), 12);
    /// ```
    Sum
}

of_a_field! {
    /// The mean of a field: the exact sum, divided once.
    ///
    /// ```
    /// use tormenta_bolts::window::{Aggregate, Mean};
    ///
    /// let mean = Mean::of(|n: &i64| *n);
    /// let mut state = mean.first(&7);
    /// mean.combine(&mut state, &8);
    /// assert_eq!(mean.result(&state), 7.5);
    /// ```
    Mean
}

of_a_field! {
    /// The smallest value of a field.
    ///
    /// ```
    /// use tormenta_bolts::window::{Aggregate, Min};
    ///
    /// let min = Min::of(|word: &String| word.len());
    /// assert_eq!(min.result(&min.first(&"storm".to_owned())), 5);
    /// ```
    Min
}

of_a_field! {
    /// The largest value of a field.
    ///
    /// ```
    /// use tormenta_bolts::window::{Aggregate, Max};
    ///
    /// let max = Max::of(|n: &u64| *n);
    /// let mut state = max.first(&7);
    /// max.combine(&mut state, &12);
    /// assert_eq!(max.result(&state), 12);
    /// ```
    Max
}

fn in_64_bits(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

impl<F, I> Aggregate for Sum<F, I>
where
    F: Fn(&I) -> i64 + Clone + Send + 'static,
    I: 'static,
{
    type In = I;
    type State = i128;
    type Out = i64;

    #[inline]
    fn first(&self, value: &I) -> i128 {
        (self.of)(value).into()
    }

    #[inline]
    fn combine(&self, sum: &mut i128, value: &I) {
        *sum += i128::from((self.of)(value));
    }

    fn merge(&self, sum: &mut i128, other: i128) {
        *sum += other;
    }

    fn result(&self, sum: &i128) -> i64 {
        in_64_bits(*sum)
    }
}

impl<F, I> Aggregate for Mean<F, I>
where
    F: Fn(&I) -> i64 + Clone + Send + 'static,
    I: 'static,
{
    type In = I;
    type State = (i128, u64);
    type Out = f64;

    #[inline]
    fn first(&self, value: &I) -> (i128, u64) {
        ((self.of)(value).into(), 1)
    }

    #[inline]
    fn combine(&self, (sum, count): &mut (i128, u64), value: &I) {
        *sum += i128::from((self.of)(value));
        *count += 1;
    }

    fn merge(&self, (sum, count): &mut (i128, u64), other: (i128, u64)) {
        *sum += other.0;
        *count += other.1;
    }

    fn result(&self, (sum, count): &(i128, u64)) -> f64 {
        *sum as f64 / *count as f64
    }
}

macro_rules! extreme {
    ($name:ident $beats:tt) => {
        impl<F, I, V> Aggregate for $name<F, I>
        where
            F: Fn(&I) -> V + Clone + Send + 'static,
            I: 'static,
            V: Ord + Clone + Send + Serialize + DeserializeOwned + 'static,
        {
            type In = I;
            type State = V;
            type Out = V;

            #[inline]
            fn first(&self, value: &I) -> V {
                (self.of)(value)
            }

            #[inline]
            fn combine(&self, state: &mut V, value: &I) {
                self.merge(state, (self.of)(value));
            }

            #[inline]
            fn merge(&self, state: &mut V, other: V) {
                if other $beats *state {
                    *state = other;
                }
            }

            fn result(&self, state: &V) -> V {
                state.clone()
            }
        }
    };
}

extreme!(Min <);
extreme!(Max >);

/// The items that come most often, with their counts: the most frequent first, ties in the order
/// of the items. All items of the window are counted, so the memory of a window is that of its
/// different items.
///
/// ```
/// use tormenta_bolts::window::{Aggregate, Top};
///
/// let top = Top::of(1, |word: &String| word.clone());
/// let mut state = top.first(&"to".to_owned());
/// ["be", "or", "not", "to"].iter().for_each(|w| top.combine(&mut state, &(*w).to_owned()));
/// assert_eq!(top.result(&state), [("to".to_owned(), 2)]);
/// ```
pub struct Top<F, I> {
    n: usize,
    item: F,
    tuple: PhantomData<fn(&I)>,
}

impl<F, I> Top<F, I> {
    /// The `n` most frequent of what `item` makes of each tuple.
    #[must_use]
    pub fn of<V>(n: usize, item: F) -> Self
    where
        F: Fn(&I) -> V,
    {
        Self { n, item, tuple: PhantomData }
    }
}

impl<F: Clone, I> Clone for Top<F, I> {
    fn clone(&self) -> Self {
        Self { n: self.n, item: self.item.clone(), tuple: PhantomData }
    }
}

impl<F, I> fmt::Debug for Top<F, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Top({})", self.n)
    }
}

impl<F, I, V> Aggregate for Top<F, I>
where
    F: Fn(&I) -> V + Clone + Send + 'static,
    I: 'static,
    V: Ord + Hash + Clone + Send + Serialize + DeserializeOwned + 'static,
{
    type In = I;
    type State = HashMap<V, u64>;
    type Out = Vec<(V, u64)>;

    fn first(&self, value: &I) -> HashMap<V, u64> {
        HashMap::from([((self.item)(value), 1)])
    }

    fn combine(&self, counts: &mut HashMap<V, u64>, value: &I) {
        *counts.entry((self.item)(value)).or_default() += 1;
    }

    fn merge(&self, counts: &mut HashMap<V, u64>, other: HashMap<V, u64>) {
        for (item, count) in other {
            *counts.entry(item).or_default() += count;
        }
    }

    fn result(&self, counts: &HashMap<V, u64>) -> Vec<(V, u64)> {
        let mut ranked: Vec<(&V, &u64)> = counts.iter().collect();
        ranked.sort_unstable_by_key(|(item, count)| (Reverse(**count), *item));
        ranked.truncate(self.n);
        ranked.into_iter().map(|(item, count)| (item.clone(), *count)).collect()
    }
}
