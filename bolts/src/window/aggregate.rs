//! What a window makes of its tuples.

use serde::{Serialize, de::DeserializeOwned};

/// Folds the tuples of a window into one result.
///
/// A window keeps a state for each key, not the tuples. `merge` joins the states of two parts of a
/// window: sliding windows are put together from parts, and sessions grow together. The order of
/// tuples is not kept, so the result must not depend on it.
///
/// Several at once are a tuple of them: `(Count::new(), Max::of(|e: &Event| e.cents))`.
///
/// ```
/// use tormenta_bolts::window::Aggregate;
///
/// /// How far the values are apart.
/// #[derive(Clone)]
/// struct Spread;
///
/// impl Aggregate for Spread {
///     type In = u64;
///     type State = (u64, u64);
///     type Out = u64;
///     fn first(&self, value: &u64) -> (u64, u64) {
///         (*value, *value)
///     }
///     fn combine(&self, (min, max): &mut (u64, u64), value: &u64) {
///         (*min, *max) = ((*min).min(*value), (*max).max(*value));
///     }
///     fn merge(&self, (min, max): &mut (u64, u64), other: (u64, u64)) {
///         (*min, *max) = ((*min).min(other.0), (*max).max(other.1));
///     }
///     fn result(&self, (min, max): &(u64, u64)) -> u64 {
///         max - min
///     }
/// }
///
/// let mut state = Spread.first(&7);
/// Spread.combine(&mut state, &12);
/// assert_eq!(Spread.result(&state), 5);
/// ```
pub trait Aggregate: Clone + Send + 'static {
    /// What comes in.
    type In: 'static;
    /// What is kept of it.
    type State: Clone + Send + 'static;
    /// What comes out.
    type Out: Clone + Send + Serialize + DeserializeOwned + 'static;

    /// The state after the first tuple.
    fn first(&self, value: &Self::In) -> Self::State;

    /// Adds a tuple.
    fn combine(&self, state: &mut Self::State, value: &Self::In);

    /// Adds what another state has seen.
    fn merge(&self, state: &mut Self::State, other: Self::State);

    /// What the state amounts to. May be asked several times.
    fn result(&self, state: &Self::State) -> Self::Out;
}

macro_rules! aggregates_of_several {
    ($($name:ident $index:tt)*) => {
        impl<In: 'static, $($name: Aggregate<In = In>),*> Aggregate for ($($name,)*) {
            type In = In;
            type State = ($($name::State,)*);
            type Out = ($($name::Out,)*);

            #[inline]
            fn first(&self, value: &In) -> Self::State {
                ($(self.$index.first(value),)*)
            }

            #[inline]
            fn combine(&self, state: &mut Self::State, value: &In) {
                $(self.$index.combine(&mut state.$index, value);)*
            }

            fn merge(&self, state: &mut Self::State, other: Self::State) {
                $(self.$index.merge(&mut state.$index, other.$index);)*
            }

            fn result(&self, state: &Self::State) -> Self::Out {
                ($(self.$index.result(&state.$index),)*)
            }
        }
    };
}

aggregates_of_several!(A 0 B 1);
aggregates_of_several!(A 0 B 1 C 2);
aggregates_of_several!(A 0 B 1 C 2 D 3);
aggregates_of_several!(A 0 B 1 C 2 D 3 E 4);
