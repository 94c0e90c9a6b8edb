//! The five kinds of attack, as plans: who will do what, where and when.

use std::cmp::Ordering;

use super::{
    Generator, Kind,
    people::{CARDS, READERS, SHOPS},
};
use crate::tx::{Truth, Tx};

/// Attacks per genuine transaction, by kind. Chosen so that each kind is some 0.3 % of the stream.
const CHANCES: [(Kind, f32); 5] = [
    (Kind::MotorRig, 0.000_12),
    (Kind::NervousThief, 0.000_9),
    (Kind::ClonedCard, 0.000_9),
    (Kind::CardTesting, 0.000_04),
    (Kind::CompromisedTerminal, 0.000_02),
];

/// Somebody's next step.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) at: f64,
    /// Number of the plan: what comes first of two at the same moment.
    order: u64,
    truth: Truth,
    card: usize,
    cents: f32,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Swipe { reader: usize, cm_s: f32, jitter: f32 },
    Online { shop: usize },
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.order.cmp(&other.order))
    }
}

/// Numbers the plans.
#[derive(Clone, Debug, Default)]
pub(super) struct Planner {
    planned: u64,
}

impl Generator {
    /// Does what was planned.
    pub(super) fn carry_out(&mut self, planned: Planned) -> (Tx, Truth) {
        let Planned { truth, card, cents, how, .. } = planned;
        let tx = match how {
            How::Swipe { reader, cm_s, jitter } => self.swiped(card, reader, cents, cm_s, jitter),
            How::Online { shop } => self.online(card, shop, cents),
        };
        (tx, truth)
    }

    /// Lets attackers begin, now and then.
    pub(super) fn plan_attacks(&mut self) {
        let mut dice = self.random.unit();
        for (kind, chance) in CHANCES {
            if dice < chance {
                return match kind {
                    Kind::MotorRig => self.plan_rig(),
                    Kind::NervousThief => self.plan_thief(),
                    Kind::ClonedCard => self.plan_clone(),
                    Kind::CardTesting => self.plan_testing(),
                    _ => self.plan_overlay(),
                };
            }
            dice -= chance;
        }
    }

    fn plan(&mut self, after_s: f32, kind: Kind, card: usize, cents: f32, how: How) {
        self.plan_any(after_s, Truth::Fraud(kind), card, cents, how);
    }

    fn plan_any(&mut self, after_s: f32, truth: Truth, card: usize, cents: f32, how: How) {
        let at = self.now + f64::from(after_s);
        let order = self.planner.planned;
        self.planner.planned += 1;
        self.plans.push(std::cmp::Reverse(Planned { at, order, truth, card, cents, how }));
    }

    /// Stolen cards of one town, one after the other through a reader there.
    fn plan_rig(&mut self) {
        let reader = self.random.below(READERS);
        let town = self.world.readers[reader].town;
        let (speed, mut after) = (self.random.range(30.0, 75.0), 0.0);
        for _ in 0..self.random.between(20, 41) {
            after += self.random.range(15.0, 60.0);
            let locals = &self.world.locals[town];
            let card = locals[self.random.below(locals.len())];
            let cents = self.random.range(2_000.0, 20_000.0);
            let cm_s = speed * self.random.range(0.995, 1.005);
            let jitter = self.random.range(0.002, 0.009);
            self.plan(after, Kind::MotorRig, card, cents, How::Swipe { reader, cm_s, jitter });
        }
    }

    /// A stolen card, used a few times until its owner notices.
    fn plan_thief(&mut self) {
        let card = self.random.below(CARDS);
        let times = self.random.range(1.9, 2.6);
        let faster = self.random.chance(0.5);
        let shakes = self.random.range(3.2, 4.5);
        let mut after = self.random.range(600.0, 7_200.0);
        for _ in 0..self.random.between(2, 6) {
            let owner = &self.world.owners[card];
            let (cm_s, jitter, cents) = (owner.speed, owner.jitter, owner.cents);
            let nearby = &self.world.nearby[owner.is_at];
            let reader = nearby[self.random.below(nearby.len())];
            let cm_s = if faster { cm_s * times } else { cm_s / times };
            let cm_s = self.random.log_normal(cm_s, 0.1);
            let jitter = self.random.log_normal(jitter * shakes, 0.15);
            let cents = cents * self.random.range(2.0, 6.0);
            self.plan(after, Kind::NervousThief, card, cents, How::Swipe { reader, cm_s, jitter });
            after += self.random.range(300.0, 2_400.0);
        }
        let silent = self.now + f64::from(after) + 86_400.0;
        let owner = &mut self.world.owners[card];
        owner.silent_until = owner.silent_until.max(silent);
    }

    /// A copy, used far away minutes after the owner paid at home.
    fn plan_clone(&mut self) {
        let card = self.idle_card();
        let owner = &self.world.owners[card];
        let (home, reader, usual) = (owner.is_at, owner.readers[0], owner.cents);
        if home != owner.town {
            return;
        }
        let Some(far) = self.world.far_from(home, &mut self.random) else { return };
        // The owner pays at home, so that the copy has something to be compared with.
        let (speed, jitter) = (owner.speed, owner.jitter);
        let cm_s = self.random.log_normal(speed, 0.1);
        let own = How::Swipe { reader, cm_s, jitter };
        self.plan_any(0.0, Truth::Genuine, card, usual, own);
        let mut after = self.random.range(120.0, 1_500.0);
        for _ in 0..self.random.between(2, 6) {
            let nearby = &self.world.nearby[far];
            let reader = nearby[self.random.below(nearby.len())];
            // A calm hand, but not the owner's.
            let cm_s = self.random.log_normal(42.0, 0.25);
            let jitter = self.random.log_normal(0.1, 0.3);
            let cents = usual * self.random.range(1.0, 4.0);
            self.plan(after, Kind::ClonedCard, card, cents, How::Swipe { reader, cm_s, jitter });
            after += self.random.range(60.0, 500.0);
        }
        // The owner goes on at home.
        self.world.owners[card].away_until = 0.0;
    }

    /// A list of cards, tried in one shop; what works is used in another.
    fn plan_testing(&mut self) {
        let shop = self.random.below(SHOPS);
        let mut after = 0.0;
        for _ in 0..self.random.between(25, 45) {
            let card = self.random.below(CARDS);
            for _ in 0..self.random.between(2, 4) {
                after += self.random.range(0.3, 6.0);
                let cents = self.random.range(1.0, 150.0);
                self.plan(after, Kind::CardTesting, card, cents, How::Online { shop });
            }
            if self.random.chance(0.3) {
                let shop = self.random.below(SHOPS);
                let large = self.world.owners[card].cents * self.random.range(5.0, 12.0);
                let later = after + self.random.range(120.0, 1_800.0);
                self.plan(later, Kind::CardTesting, card, large, How::Online { shop });
            }
        }
    }

    /// Something is fitted to a reader and stays for some hundred swipes.
    fn plan_overlay(&mut self) {
        let reader = self.random.below(READERS);
        let swipes = self.random.between(150, 400) as u32;
        let left = &mut self.world.readers[reader].overlay_left;
        *left = (*left).max(swipes);
    }
}
