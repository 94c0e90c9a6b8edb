//! A world after the idea of the Fraud Detection Handbook, written anew: customers with amounts of
//! their own pay at a few terminals each. What is larger than 220 is a fraud; now and then a
//! terminal is compromised for four weeks, and all that is paid there is; now and then somebody
//! gets hold of a customer's numbers for two weeks, and of what is paid then a third is five times
//! as large. So most frauds differ from genuine payments in nothing but the label.

use tormenta_fraud::{Chargeback, Kind, Truth, Turn, Tx};

pub(crate) const DAY_S: i64 = 86_400;

/// Payments a day, as often at one terminal as there.
const CUSTOMERS: usize = 1_000;
const TERMINALS: usize = 2_000;
const PAYMENTS_A_DAY: usize = 1_900;

/// Amounts above are frauds, in cents.
const LARGE_CENTS: u64 = 22_000;

/// When it begins: a Monday in 2026.
const START_S: i64 = 1_780_272_000;

struct Customer {
    mean: f64,
    terminals: [u64; 12],
    leaked_to: usize,
}

/// Numbers that look random. The same seed gives the same ones.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Twelve dice, one bell.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// The payments of so many days, in order.
pub(crate) fn payments(seed: u64, days: usize) -> Vec<(Tx, Truth)> {
    let mut dice = Dice::of(seed);
    let mut customers: Vec<_> = (0..CUSTOMERS)
        .map(|_| Customer {
            mean: 500.0 + 9_500.0 * dice.unit(),
            terminals: std::array::from_fn(|_| dice.below(TERMINALS) as u64),
            leaked_to: 0,
        })
        .collect();
    let mut compromised_to = vec![0; TERMINALS];
    let mut payments = Vec::new();
    for day in 0..days {
        if day % 2 == 0 {
            compromised_to[dice.below(TERMINALS)] = day + 28;
            customers[dice.below(CUSTOMERS)].leaked_to = day + 14;
        }
        let mut times: Vec<_> = (0..PAYMENTS_A_DAY)
            .map(|_| 43_200.0 + 14_000.0 * dice.normal())
            .map(|second| second.clamp(0.0, 86_399.0) as i64)
            .collect();
        times.sort_unstable();
        for second in times {
            let time = START_S + DAY_S * day as i64 + second;
            let tx = pay(payments.len(), time, &customers, &mut dice);
            payments.push(label(tx, day, &customers, &compromised_to, &mut dice));
        }
    }
    payments
}

fn pay(number: usize, time: i64, customers: &[Customer], dice: &mut Dice) -> Tx {
    let card = dice.below(CUSTOMERS);
    let customer = &customers[card];
    let amount = customer.mean * (1.0 + 0.5 * dice.normal());
    let cents = if amount > 0.0 { amount } else { 2.0 * customer.mean * dice.unit() } as u64;
    let terminal = customer.terminals[dice.below(customer.terminals.len())];
    let (id, card) = (number.to_string().into(), card as u64);
    Tx { id, card, terminal, cents, category: None, time, place: None, pass: None }
}

fn label(
    mut tx: Tx,
    day: usize,
    customers: &[Customer],
    compromised_to: &[usize],
    dice: &mut Dice,
) -> (Tx, Truth) {
    let fraud = if customers[tx.card as usize].leaked_to > day && dice.below(3) == 0 {
        tx.cents *= 5;
        Kind::LeakedCard
    } else if compromised_to[tx.terminal as usize] > day {
        Kind::CompromisedTerminal
    } else if tx.cents > LARGE_CENTS {
        Kind::LargeAmount
    } else {
        return (tx, Truth::Genuine);
    };
    (tx, Truth::Fraud(fraud))
}

/// What the bank hears of the frauds, so many days later, in order.
pub(crate) fn chargebacks(payments: &[(Tx, Truth)], delay_days: i64) -> Vec<Chargeback> {
    let report = |(tx, truth): &(Tx, Truth)| {
        let (id, card, terminal) = (tx.id.clone(), tx.card, tx.terminal);
        let (time, turn) = (tx.time + delay_days * DAY_S, Turn::default());
        matches!(truth, Truth::Fraud(_)).then_some(Chargeback { id, card, terminal, time, turn })
    };
    payments.iter().filter_map(report).collect()
}
