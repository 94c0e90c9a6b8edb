//! Loans against a list of what was lent.

use std::cell::RefCell;

use quickcheck::quickcheck;

use super::*;
use crate::{
    Epoch,
    ticket::{Age, Hold},
};

const OPENED_EDGE: u64 = 1;

/// An engine that opens up to `most` trees at a time, or none, and remembers what it grew.
struct Engine {
    most: usize,
    slot: Cell<usize>,
    grown: RefCell<Vec<Root>>,
}

impl Tracker for Engine {
    fn hold(&self, _roots: &[Root], _epoch: Option<&Epoch>) -> Hold {
        unreachable!("no ticket is taken here")
    }

    fn grow(&self, root: Root) -> (Root, u64) {
        self.grown.borrow_mut().push(root);
        (root, 100 + self.grown.borrow().len() as u64)
    }

    fn open(&self, _first: Root, count: usize) -> Option<(Root, usize, u64)> {
        if self.most == 0 {
            return None;
        }
        let (slot, count) = (self.slot.get(), count.min(self.most));
        self.slot.set(slot + count + 3); // a gap, as between runs of a ledger
        Some((Root::tracked(1, slot, 7, false), count, OPENED_EDGE))
    }

    fn begin_set(&self) -> Option<std::sync::Arc<Age>> {
        None
    }

    fn add_to_set(&self, _age: &std::sync::Arc<Age>, _root: Root) {}
}

fn engine(most: usize) -> Engine {
    Engine { most, slot: Cell::new(10), grown: RefCell::default() }
}

fn kept(loan: &Loan, tuples: Range<usize>) -> Vec<usize> {
    let mut all = Vec::new();
    loan.kept(tuples, |kept| all.extend(kept));
    all
}

quickcheck! {
    /// Tuples with edges: what is lent keeps its edge, the others are left to be acked.
    fn an_edge_is_lent_or_kept(lend: Vec<u8>, from: usize, len: usize) -> bool {
        let (loan, engine) = (Loan::new(), engine(0));
        let first = Root::tracked(3, 5, 9, false);
        loan.begin(Some((first, lend.len())), 4);
        let mut grown = Vec::new();
        for (index, times) in lend.iter().map(|draw| draw % 3).enumerate() {
            let root = first.nth_after(index);
            for time in 0..times {
                let (tree, edge) = loan.lend(root, &engine);
                if (time == 0 && edge != 4) || tree != root {
                    return false;
                }
                grown.extend((time > 0).then_some(root));
            }
        }
        let from = from % (lend.len() + 1);
        let tuples = from..from + len % (lend.len() - from + 1);
        let expected = tuples.clone().filter(|index| lend[*index].is_multiple_of(3));
        kept(&loan, tuples) == expected.collect::<Vec<_>>() && *engine.grown.borrow() == grown
    }

    /// Tuples of the loop's own spout: opened is what was lent and what is given back.
    fn opened_is_lent_or_unused(lend: Vec<bool>, most: usize) -> bool {
        let (loan, engine) = (Loan::new(), engine(1 + most % 40));
        let first = Root::provisional(6, false);
        loan.begin(Some((first, lend.len())), 0);
        let mut trees = Vec::new();
        for index in (0..lend.len()).filter(|index| lend[*index]) {
            let (tree, edge) = loan.lend(first.nth_after(index), &engine);
            if edge != OPENED_EDGE {
                return false;
            }
            trees.push(tree);
        }
        let lent = trees.len();
        let mut opened: Vec<_> = loan.opened.borrow().iter().flat_map(|(_, first, count)| {
            let first = *first;
            (0..*count).map(move |n| first.nth_after(n))
        }).collect();
        loan.take_unused(|first, count| trees.extend((0..count).map(|n| first.nth_after(n))));
        trees.sort_unstable();
        opened.sort_unstable();
        lent == lend.iter().filter(|lent| **lent).count() && trees == opened
    }
}

#[test]
fn a_list_lends_the_edge_once() {
    let (loan, engine) = (Loan::new(), engine(0));
    loan.begin(None, 0);
    let root = Root::tracked(3, 5, 9, false);
    loan.set_edge(77);
    assert_eq!(loan.lend(root, &engine), (root, 77));
    assert_eq!(loan.lend(root, &engine), (root, 101), "another hold is another edge");
    assert!(loan.take_is_lent() && !loan.take_is_lent());
    loan.set_edge(0);
    assert_eq!(loan.lend(root, &engine), (root, 102), "what has no edge gets one");
    assert!(!loan.take_is_lent());
}
