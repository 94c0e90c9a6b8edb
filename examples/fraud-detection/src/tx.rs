//! What flows: a transaction on its way in, a decision on its way out.
//!
//! [`Tx`] is all that the rules may look at. Whether it *was* a fraud travels beside it, in
//! [`Swiped`], where no rule can reach it.

use bytes::Bytes;
use tormenta::prelude::*;

use crate::{
    generator::Kind,
    rules::{Reasons, Size},
};

/// One use of a card.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tx {
    /// What the merchant calls it; the ledger has one decision for each.
    pub id: Bytes,
    /// Number of the card.
    pub card: u64,
    /// The reader, or the shop where there is no reader.
    pub terminal: u64,
    /// Amount, in cents.
    pub cents: u64,
    /// What was bought, as a number that stands for the kind of goods, if somebody says.
    pub category: Option<u32>,
    /// When, in seconds since 1970. This is the only clock that the rules know.
    pub time: i64,
    /// Where, if somebody knows.
    pub place: Option<Place>,
    /// How the card went through the reader, if it was swiped at all.
    pub pass: Option<Pass>,
}

/// A place on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees to the north.
    pub lat: f32,
    /// Degrees to the east.
    pub lon: f32,
}

impl Place {
    /// Great-circle distance, in km.
    ///
    /// ```
    /// use tormenta_fraud::Place;
    ///
    /// let (lisbon, porto) = (Place { lat: 38.72, lon: -9.14 }, Place { lat: 41.15, lon: -8.61 });
    /// assert!((270.0..280.0).contains(&lisbon.km_to(porto)));
    /// ```
    #[must_use]
    pub fn km_to(self, other: Self) -> f32 {
        let [lat_a, lon_a, lat_b, lon_b] =
            [self.lat, self.lon, other.lat, other.lon].map(f32::to_radians);
        let half = |angle: f32| (angle / 2.0).sin().powi(2);
        let chord = half(lat_b - lat_a) + lat_a.cos() * lat_b.cos() * half(lon_b - lon_a);
        2.0 * 6371.0 * chord.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// How a card went through a reader.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Mean speed, in cm/s. Readers take 8 to 150.
    pub cm_s: f32,
    /// How much the speed changed on the way, as a share of the mean.
    pub jitter: f32,
}

/// A payment that its card's owner did not make, as the bank heard days later.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chargeback {
    /// The transaction.
    pub id: Bytes,
    /// Number of the card.
    pub card: u64,
    /// Where it was used.
    pub terminal: u64,
    /// When it was reported, in seconds since 1970.
    pub time: i64,
    /// Its place among transactions and chargebacks.
    pub turn: Turn,
}

/// The place of something in the stream, and who was there before. Given by the source, which
/// alone knows the order of everything; so that all tasks behind it decide alike, however many
/// they are.
///
/// Distances instead of numbers, because it is moved with every transaction: what lies four
/// billion places back is forgotten as if there were no room for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number, from one.
    pub seq: u64,
    /// How far back the one before it of the same card is; 0 where it is the first, or where the
    /// card was forgotten.
    pub card_back: u32,
    /// How far back the one before it of the same terminal is; 0 likewise.
    pub terminal_back: u32,
    /// Cards whose last use is further back are forgotten; the largest number: none is.
    pub cards_kept: u32,
    /// Terminals whose last use is further back are forgotten.
    pub terminals_kept: u32,
}

impl Turn {
    /// The number of the one before it of the same card; 0 where there is none.
    #[must_use]
    pub fn card_before(self) -> u64 {
        if self.card_back == 0 { 0 } else { self.seq.saturating_sub(u64::from(self.card_back)) }
    }
}

/// What the source emits: two streams, in one order.
#[derive(Streams, Clone, Debug, PartialEq)]
pub enum Entry {
    /// A transaction.
    Swipe(Swiped),
    /// What became of an earlier one.
    Chargeback(Chargeback),
}

impl Entry {
    /// Its place in the stream.
    #[must_use]
    pub fn turn(&self) -> Turn {
        match self {
            Self::Swipe(swiped) => swiped.turn,
            Self::Chargeback(chargeback) => chargeback.turn,
        }
    }
}

/// A transaction in the stream.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swiped {
    /// Its place in the stream.
    pub turn: Turn,
    /// What the rules see.
    pub tx: Tx,
    /// How large its amount is beside what everybody pays: see [`Crowd`](crate::Crowd).
    pub size: Size,
    /// What it really was, where somebody knows.
    pub truth: Truth,
    /// When it was due, in nanoseconds of the engine's clock.
    pub due_ns: u64,
}

/// What a transaction really was. For the statistics only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Truth {
    /// Nobody knows.
    Unknown,
    /// The owner's own.
    Genuine,
    /// A fraud of this kind.
    Fraud(Kind),
}

/// What the merchant is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go ahead.
    Approve,
    /// Ask for the PIN, or for a second proof.
    Challenge,
    /// No.
    Decline,
}

/// A verdict, how sure it is, and why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What the merchant is told.
    pub verdict: Verdict,
    /// How likely a fraud is, in hundredths of a percent: 0 to 10,000. An integer, so that equal
    /// decisions are equal wherever they are printed.
    pub score: u16,
    /// What spoke most for it.
    pub reasons: Reasons,
}

/// A decision in the stream.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The number of the transaction in the stream.
    pub seq: u64,
    /// What the merchant calls it.
    pub id: Bytes,
    /// What was decided.
    pub decision: Decision,
    /// What it really was.
    pub truth: Truth,
    /// When the transaction was due.
    pub due_ns: u64,
}
