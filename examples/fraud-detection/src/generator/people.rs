//! The world before anybody cheats: towns, readers, and people with their habits.

use super::random::Random;
use crate::tx::Place;

/// How many there are of everything.
pub(super) const TOWNS: usize = 25;
pub(super) const READERS: usize = 200;
pub(super) const SHOPS: usize = 60;
pub(super) const CARDS: usize = 5_000;

/// A card and its owner.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) number: u64,
    pub(super) town: usize,
    /// What the owner usually does: cm/s, jitter, cents.
    pub(super) speed: f32,
    pub(super) jitter: f32,
    pub(super) cents: f32,
    /// Readers that the owner passes every day.
    pub(super) readers: [usize; 4],
    /// Where the owner is.
    pub(super) is_at: usize,
    /// Until when the owner does not use the card, in seconds.
    pub(super) silent_until: f64,
    /// Until when the owner is away from home.
    pub(super) away_until: f64,
}

/// A reader in a shop.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) town: usize,
    /// What it makes of the true speed: 1.05 shows 5 % too much.
    pub(super) bias: f32,
    /// Swipes for which something is fitted to it.
    pub(super) overlay_left: u32,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) towns: Vec<Place>,
    pub(super) readers: Vec<Reader>,
    pub(super) owners: Vec<Owner>,
    /// Cards by town.
    pub(super) locals: Vec<Vec<usize>>,
    /// Readers by town.
    pub(super) nearby: Vec<Vec<usize>>,
}

impl World {
    pub(super) fn new(random: &mut Random) -> Self {
        // A continent: 33 degrees high and 60 wide.
        let towns: Vec<_> = (0..TOWNS)
            .map(|_| Place { lat: random.range(-25.0, 8.0), lon: random.range(-70.0, -10.0) })
            .collect();
        let reader = |index: usize, random: &mut Random| Reader {
            town: index % TOWNS,
            bias: random.log_normal(1.0, 0.05),
            overlay_left: 0,
        };
        let readers: Vec<_> = (0..READERS).map(|index| reader(index, random)).collect();
        let mut nearby = vec![Vec::new(); TOWNS];
        readers.iter().enumerate().for_each(|(index, reader)| nearby[reader.town].push(index));
        let owners: Vec<_> = (0..CARDS).map(|n| Owner::new(n, &nearby, random)).collect();
        let mut locals = vec![Vec::new(); TOWNS];
        owners.iter().enumerate().for_each(|(index, owner)| locals[owner.town].push(index));
        Self { towns, readers, owners, locals, nearby }
    }

    /// A town so far away that nobody gets there within an hour.
    pub(super) fn far_from(&self, town: usize, random: &mut Random) -> Option<usize> {
        let first = random.below(TOWNS);
        let mut others = (0..TOWNS).map(|n| (first + n) % TOWNS);
        others.find(|other| self.towns[*other].km_to(self.towns[town]) > 1_600.0)
    }
}

impl Owner {
    fn new(n: usize, nearby: &[Vec<usize>], random: &mut Random) -> Self {
        let town = random.below(TOWNS);
        Self {
            number: 4_000_000_000_000_000 + 7_919 * n as u64,
            town,
            speed: random.log_normal(42.0, 0.25).clamp(18.0, 95.0),
            jitter: random.log_normal(0.10, 0.2),
            cents: random.log_normal(2_800.0, 0.4),
            readers: std::array::from_fn(|_| nearby[town][random.below(nearby[town].len())]),
            is_at: town,
            silent_until: 0.0,
            away_until: 0.0,
        }
    }
}
