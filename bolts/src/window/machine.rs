//! What all kinds of windows have in common, and nothing of any engine.

use serde::{Deserialize, Serialize};

use super::Aggregate;

/// Why a window fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Firing {
    /// It is complete, as far as the watermark tells.
    OnTime,
    /// A late tuple, within the allowed lateness, has changed it: this replaces what was fired.
    Late,
}

/// A window of one key that fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired<K, V> {
    /// See `Windowed`.
    pub key: K,
    /// See `Windowed`.
    pub start: i64,
    /// See `Windowed`.
    pub end: i64,
    /// See `Windowed`.
    pub firing: Firing,
    /// See `Windowed`.
    pub value: V,
}

/// What fired, to be emitted.
pub(super) type AllFired<K, A> = Vec<Fired<K, <A as Aggregate>::Out>>;

/// What stands for the inputs of a part of a window: they are kept until nothing needs them.
pub trait Inputs: Default {
    /// Adds those of another part.
    fn absorb(&mut self, other: Self);
}

/// How long windows are.
#[derive(Clone, Debug)]
pub struct Lengths {
    /// Length of a window, or of the pause that ends it.
    pub width: i64,
    /// From the beginning of a window to that of the next.
    pub slide: i64,
    /// What these are counted in.
    pub unit: &'static str,
    /// How long a window that has fired is kept, in milliseconds.
    pub lateness: i64,
}

/// Times and lengths that are computed with: three of them still fit 64 bits.
pub(super) const TIME_MAX: i64 = 1 << 61;

impl Lengths {
    /// What makes no sense.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { width, slide, unit, .. } = self;
        if *width < 1 || *slide < 1 {
            return Err(format!("windows of {width} {unit} every {slide}: at least 1 {unit}"));
        }
        if slide > width {
            return Err(format!(
                "windows of {width} {unit} every {slide} leave gaps: at most every {width}"
            ));
        }
        if *width > TIME_MAX {
            return Err(format!("windows of {width} {unit}: at most {TIME_MAX}"));
        }
        Ok(())
    }
}

/// One kind of windows: pure, so given the time.
pub trait Machine<K, A: Aggregate, H> {
    /// No windows yet.
    fn start(aggregate: A, lengths: &Lengths) -> Self;

    /// Adds a tuple. Returns where to keep it, or `None` if it is too late for every window. A
    /// window that is complete by it, or changed after it fired, is added to `fired`; inputs that
    /// nothing needs any more to `done`.
    fn add(
        &mut self,
        time: i64,
        key: K,
        value: &A::In,
        fired: &mut AllFired<K, A>,
        done: &mut Vec<H>,
    ) -> Option<&mut H>;

    /// The watermark at which something is to be done; `i64::MAX` if nothing is.
    fn due(&self) -> i64;

    /// Event time goes on. Once it is [due](Machine::due), windows fire and inputs are done.
    fn advance(&mut self, watermark: i64, fired: &mut AllFired<K, A>, done: &mut Vec<H>);

    /// The inputs have ended: fires what has not fired.
    fn finish(&mut self, fired: &mut AllFired<K, A>, done: &mut Vec<H>);
}

/// The greatest common divisor of two positive numbers.
pub(super) fn common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
