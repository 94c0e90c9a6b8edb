//! Windows of a number of tuples.

use quickcheck::quickcheck;

use super::*;
use crate::window::{
    counts::Counts,
    machine::{Lengths, Machine},
};

quickcheck! {
    /// Every window is the last so many of all tuples of its key; the rest is told at the end.
    fn numbers_are_as_the_list_says(width: u8, slide: u8, keys: Vec<u8>) -> bool {
        let width = usize::from(width % 12) + 1;
        let slide = usize::from(slide) % width + 1;
        let lengths =
            Lengths { width: width as i64, slide: slide as i64, unit: "tuples", lateness: 0 };
        let mut counts = Counts::<u8, _, Vec<i64>>::start(sum(), &lengths);
        let (mut all, mut fired, mut done) = (vec![Vec::new(); 3], Vec::new(), Vec::new());
        for (n, key) in (1..).zip(keys.iter().map(|key| key % 3)) {
            let kept = counts.add(0, key, &n, &mut fired, &mut done).expect("never late");
            kept.push(n);
            let tuples: &mut Vec<i64> = &mut all[usize::from(key)];
            tuples.push(n);
            let seen = tuples.len();
            let is_full = seen >= width && (seen - width).is_multiple_of(slide);
            let start = seen.saturating_sub(width);
            let value = tuples[start..].iter().sum();
            let window = (key, start as i64, seen as i64, false, value);
            let expected: Vec<Told> = is_full.then_some(window).into_iter().collect();
            if told::<Sum<fn(&i64) -> i64, i64>>(&mut fired) != expected {
                return false;
            }
        }
        counts.finish(&mut fired, &mut done);
        let rest = (0..).zip(&all).filter_map(|(key, tuples)| {
            let seen = tuples.len();
            let fired = if seen < width { 0 } else { seen - (seen - width) % slide };
            let start = if fired == 0 { 0 } else { fired + slide - width };
            let value = tuples.get(start..)?.iter().sum();
            (seen > fired).then_some((key, start as i64, seen as i64, false, value))
        });
        told::<Sum<fn(&i64) -> i64, i64>>(&mut fired) == rest.collect::<Vec<_>>()
            && sorted(done.into_iter().flatten()) == (1..=keys.len() as i64).collect::<Vec<_>>()
    }
}
