//! A seeded world of card owners, and five kinds of people who cheat them.
//!
//! Owners use their card about four times a day, at readers of their town and in shops without a
//! reader; each swipes with a hand of his own, and readers show it with a bias. Now and then an
//! owner travels, at a speed at which people travel. Into this fall attacks, one of them
//! per some hundred uses ([`attack`]):
//!
//! | kind | what happens |
//! |---|---|
//! | `motor_rig` | stolen cards go through one reader by motor: even, and all at one speed |
//! | `nervous_thief` | somebody else swipes: another speed, a shaking hand, larger amounts |
//! | `cloned_card` | a copy is used in a far town while the owner shops at home |
//! | `card_testing` | a list of cards is tried in one shop with tiny amounts, then used |
//! | `compromised_terminal` | something is fitted to a reader: cards are slowed down and jump |
//!
//! The first [`QUIET`] transactions are all genuine, so that habits can be learned. The same seed
//! makes the same stream, for ever.

mod attack;
mod people;
mod random;

use std::{cmp::Reverse, collections::BinaryHeap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::tx::{Pass, Truth, Tx};
use attack::{Planned, Planner};
use people::{CARDS, READERS, SHOPS, World};
use random::Random;

/// Transactions before the first attack.
pub const QUIET: u64 = 25_000;

/// Uses of all cards in a day.
const USES_A_DAY: f64 = 4.0 * CARDS as f64;

/// When the stream begins: 1 June 2026, 06:00.
const START_S: f64 = 1_780_293_600.0;

/// How somebody cheats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Cards pulled through a reader by a motor.
    MotorRig,
    /// A stolen card in the wrong hand.
    NervousThief,
    /// A copy of a card in another town.
    ClonedCard,
    /// Cards tried with tiny amounts, then used.
    CardTesting,
    /// A reader that was tampered with.
    CompromisedTerminal,
    /// An amount that is too large. In the Handbook's data only.
    LargeAmount,
    /// Somebody got hold of a card's numbers and spends. In the Handbook's data only.
    LeakedCard,
    /// A fraud of which the data do not say more.
    Other,
}

impl Kind {
    /// The kinds that are generated.
    pub const GENERATED: [Self; 5] = [
        Self::MotorRig,
        Self::NervousThief,
        Self::ClonedCard,
        Self::CardTesting,
        Self::CompromisedTerminal,
    ];

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MotorRig => "motor_rig",
            Self::NervousThief => "nervous_thief",
            Self::ClonedCard => "cloned_card",
            Self::CardTesting => "card_testing",
            Self::CompromisedTerminal => "compromised_terminal",
            Self::LargeAmount => "large_amount",
            Self::LeakedCard => "leaked_card",
            Self::Other => "other",
        }
    }
}

/// Transactions without end.
///
/// ```
/// use tormenta_fraud::Generator;
///
/// let stream = |seed| Generator::new(seed).take(100).collect::<Vec<_>>();
/// assert_eq!(stream(7), stream(7));
/// assert_ne!(stream(7), stream(8));
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    random: Random,
    world: World,
    planner: Planner,
    /// What attackers will do, the earliest first.
    plans: BinaryHeap<Reverse<Planned>>,
    now: f64,
    made: u64,
}

impl Generator {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let world = World::new(&mut random);
        let (planner, plans) = (Planner::default(), BinaryHeap::new());
        Self { seed, random, world, planner, plans, now: START_S, made: 0 }
    }

    /// What an owner does next.
    fn genuine(&mut self) -> (Tx, Truth) {
        let card = self.idle_card();
        let owner = &self.world.owners[card];
        let cents = self.random.log_normal(owner.cents, 0.5).clamp(100.0, 60_000.0);
        // Something small now and then: a newspaper, a parking meter.
        let cents = if self.random.chance(0.002) { self.random.range(50.0, 200.0) } else { cents };
        if self.random.chance(0.12) {
            let shop = self.random.below(SHOPS);
            return (self.online(card, shop, cents), Truth::Genuine);
        }
        let reader = match owner.is_at == owner.town {
            true => owner.readers[self.random.below(owner.readers.len())],
            false => {
                let nearby = &self.world.nearby[owner.is_at];
                nearby[self.random.below(nearby.len())]
            }
        };
        let (speed, jitter) = (owner.speed, owner.jitter);
        let speed = self.random.log_normal(speed, 0.14);
        let jitter = self.random.log_normal(jitter, 0.25).max(0.03);
        let left = &mut self.world.readers[reader].overlay_left;
        if *left > 0 {
            *left -= 1;
            let (slowed, jumps) = (self.random.range(0.5, 0.62), self.random.range(2.4, 3.2));
            let tx = self.swiped(card, reader, cents, speed * slowed, jitter * jumps);
            return (tx, Truth::Fraud(Kind::CompromisedTerminal));
        }
        (self.swiped(card, reader, cents, speed, jitter), Truth::Genuine)
    }

    /// A card whose owner has it at hand. Sends the owner on a journey now and then.
    fn idle_card(&mut self) -> usize {
        loop {
            let card = self.random.below(CARDS);
            let owner = &mut self.world.owners[card];
            if owner.silent_until > self.now {
                continue;
            }
            if owner.is_at != owner.town && owner.away_until < self.now {
                self.travel(card, self.world.owners[card].town);
                continue;
            }
            if self.random.chance(0.001) {
                let town = self.random.below(people::TOWNS);
                let days = f64::from(self.random.range(1.0, 10.0));
                self.world.owners[card].away_until = self.now + 86_400.0 * days;
                self.travel(card, town);
                continue;
            }
            return card;
        }
    }

    /// Moves an owner at 600 km/h, two hours at the airport included.
    fn travel(&mut self, card: usize, town: usize) {
        let owner = &mut self.world.owners[card];
        let km = self.world.towns[owner.is_at].km_to(self.world.towns[town]);
        owner.silent_until = self.now + 7_200.0 + f64::from(km) / 600.0 * 3_600.0;
        owner.is_at = town;
    }

    fn swiped(&mut self, card: usize, reader: usize, cents: f32, cm_s: f32, jitter: f32) -> Tx {
        let at = &self.world.readers[reader];
        let place = Some(self.world.towns[at.town]);
        let pass = Some(Pass { cm_s: (cm_s * at.bias).clamp(5.0, 200.0), jitter });
        self.tx(card, reader as u64, cents, place, pass)
    }

    fn online(&mut self, card: usize, shop: usize, cents: f32) -> Tx {
        self.tx(card, (READERS + shop) as u64, cents, None, None)
    }

    fn tx(
        &self,
        card: usize,
        terminal: u64,
        cents: f32,
        place: Option<crate::Place>,
        pass: Option<Pass>,
    ) -> Tx {
        let (seed, n) = (self.seed, self.made);
        let card = self.world.owners[card].number;
        let id = Bytes::from(format!("g{seed}-{n}"));
        let (cents, time, category) = (cents as u64, self.now as i64, None);
        Tx { id, card, terminal, cents, category, time, place, pass }
    }
}

impl Iterator for Generator {
    type Item = (Tx, Truth);

    fn next(&mut self) -> Option<(Tx, Truth)> {
        let gap = -(1.0 - self.random.unit()).max(1e-6).ln();
        let now = self.now + f64::from(gap) * 86_400.0 / USES_A_DAY;
        let is_due = |planned: &Reverse<Planned>| planned.0.at <= now;
        let made = if self.plans.peek().is_some_and(is_due)
            && let Some(Reverse(planned)) = self.plans.pop()
        {
            self.now = self.now.max(planned.at);
            self.carry_out(planned)
        } else {
            self.now = now;
            if self.made >= QUIET {
                self.plan_attacks();
            }
            self.genuine()
        };
        self.made += 1;
        Some(made)
    }
}
