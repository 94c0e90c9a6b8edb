//! Tuples that kill their child, and those that are with them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::Session;
use crate::suspects::{Mark, Suspects};

/// Attempts at a tuple: one that is lost with others, and one that is not.
const ATTEMPTS_MAX: u32 = 2;

/// What the next thing is that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A task gets a tuple, if its child may be given it: one of those that wait.
    Give(usize, usize),
    /// A child works on the next tuple that it has.
    Work(usize),
    /// A task hears what its child has said so far.
    Hear(usize),
    /// A task sends a heartbeat, if it is worth it.
    Ask(usize),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let (task, tuple) = (usize::arbitrary(g) % 2, usize::arbitrary(g));
        match u8::arbitrary(g) % 8 {
            0..=3 => Self::Give(task, tuple),
            4..=5 => Self::Work(task),
            6 => Self::Hear(task),
            _ => Self::Ask(task),
        }
    }
}

#[derive(Clone, Copy)]
enum Told {
    Tuple(u64, usize),
    Heartbeat,
}

#[derive(Clone, Copy)]
enum Said {
    Settled(u64),
    Sync,
    Died,
}

/// A task and its child.
struct Task {
    session: Session<usize>,
    told: VecDeque<Told>,
    said: VecDeque<Said>,
    is_dead: bool,
    /// The tuple that the task waits to give, and the id that it was written with.
    next: Option<(u64, usize)>,
}

/// Everything that is under way.
struct World {
    tasks: [Task; 2],
    /// Tuples that wait for an attempt, in any order.
    waiting: Vec<usize>,
    attempts: BTreeMap<usize, u32>,
    acked: Vec<usize>,
    dead_letters: Vec<usize>,
    kills: fn(usize) -> bool,
    keeps: bool,
}

impl World {
    fn new(tuples: usize, kills: fn(usize) -> bool, keeps: bool) -> Self {
        let suspects = Arc::<Suspects>::default();
        let task = |_| Task {
            session: Session::new(Duration::from_secs(1), suspects.clone()),
            told: VecDeque::new(),
            said: VecDeque::new(),
            is_dead: false,
            next: None,
        };
        Self {
            tasks: [0, 1].map(task),
            waiting: (0..tuples).collect(),
            attempts: BTreeMap::new(),
            acked: Vec::new(),
            dead_letters: Vec::new(),
            kills,
            keeps,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Give(task, choice) => self.give(task, choice),
            Step::Work(task) => self.work(task),
            Step::Hear(task) => self.hear(task),
            Step::Ask(task) => {
                let task = &mut self.tasks[task];
                if task.session.may_ask() {
                    task.session.id();
                    task.session.ask(Duration::ZERO);
                    task.told.push_back(Told::Heartbeat);
                }
            }
        }
    }

    /// A task that has begun with a tuple has it until it may give it.
    fn give(&mut self, task: usize, choice: usize) {
        let task = &mut self.tasks[task];
        if task.next.is_none() && !self.waiting.is_empty() {
            let tuple = self.waiting.swap_remove(choice % self.waiting.len());
            *self.attempts.entry(tuple).or_default() += 1;
            task.next = Some((task.session.id(), tuple));
        }
        let Some((id, tuple)) = task.next else { return };
        let mark = Mark::of(&tuple.to_le_bytes());
        if task.session.may_give(mark) {
            task.session.give(id, mark, tuple);
            task.told.push_back(Told::Tuple(id, tuple));
            task.next = None;
        }
    }

    fn work(&mut self, task: usize) {
        let task = &mut self.tasks[task];
        if task.is_dead {
            return;
        }
        let said = match task.told.pop_front() {
            None => return,
            Some(Told::Heartbeat) => Said::Sync,
            Some(Told::Tuple(_, tuple)) if (self.kills)(tuple) => Said::Died,
            Some(Told::Tuple(id, _)) => Said::Settled(id),
        };
        task.is_dead = matches!(said, Said::Died);
        task.said.push_back(said);
    }

    fn hear(&mut self, number: usize) {
        while let Some(said) = self.tasks[number].said.pop_front() {
            let task = &mut self.tasks[number];
            match said {
                Said::Sync => task.session.answer(),
                // What it had said goes unheard, if it is lost in its pipe.
                Said::Settled(_) if self.keeps && task.said.iter().any(is_death) => {}
                Said::Settled(id) => {
                    if let Ok(super::Given::Held(tuple)) = task.session.settle(id) {
                        self.acked.push(tuple);
                    }
                }
                Said::Died => self.lose(number),
            }
        }
    }

    fn lose(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        let lost = task.session.lose();
        task.session.begin(Duration::ZERO);
        task.told.clear();
        task.is_dead = false;
        for tuple in lost {
            if self.attempts[&tuple] < ATTEMPTS_MAX {
                self.waiting.push(tuple);
            } else {
                self.dead_letters.push(tuple);
            }
        }
    }

    fn is_over(&self) -> bool {
        let is_idle = |task: &Task| task.next.is_none() && task.session.len() == 0;
        self.waiting.is_empty() && self.tasks.iter().all(is_idle)
    }
}

fn is_death(said: &Said) -> bool {
    matches!(said, Said::Died)
}

/// Whatever was drawn, and then one thing after the other until all is over.
fn run(mut world: World, steps: Vec<Step>) -> World {
    steps.into_iter().for_each(|step| world.step(step));
    for _ in 0..100_000 {
        if world.is_over() {
            break;
        }
        for task in [0, 1] {
            for step in [Step::Give(task, 0), Step::Ask(task), Step::Work(task), Step::Hear(task)] {
                world.step(step);
            }
        }
    }
    assert!(world.is_over(), "it does not end");
    world
}

quickcheck! {
    /// Two attempts are enough for whoever kills nobody, whatever the order, also where a child
    /// dies with what it has settled unheard. Those that kill become dead letters, and no others.
    fn who_kills_is_alone_in_the_end(tuples: u8, steps: Vec<Step>, keeps: bool) -> bool {
        let tuples = usize::from(tuples % 64);
        let kills = |tuple: usize| tuple % 7 == 3;
        let mut world = run(World::new(tuples, kills, keeps), steps);
        world.acked.sort_unstable();
        world.dead_letters.sort_unstable();
        let (dead, acked): (Vec<usize>, _) = (0..tuples).partition(|tuple| kills(*tuple));
        world.acked == acked && world.dead_letters == dead
    }
}

/// A child that only settles what it has when more comes must not be waited for.
#[test]
fn a_child_that_keeps_a_suspect_has_got_past_it_when_it_answers() {
    let suspects = Arc::<Suspects>::default();
    let [a, b] = [b"a", b"b"].map(|told| Mark::of(told));
    suspects.accuse(a);
    let mut session = Session::new(Duration::from_secs(1), suspects.clone());
    session.ask(Duration::ZERO); // before it, and answered late
    let id = session.id();
    assert!(session.may_give(a) && session.may_give(b));
    session.give(id, a, 'a');
    assert!(!session.may_give(b));
    session.answer();
    assert!(!session.may_give(b), "that was the answer to what came before");
    session.ask(Duration::ZERO);
    session.answer();
    assert!(session.may_give(b) && !suspects.is_one(a));
    assert_eq!(session.len(), 1);
}

/// A suspect has its id while it waits until the child has got past what it has.
#[test]
fn a_heartbeat_that_was_sent_before_a_tuple_says_nothing_of_it() {
    let suspects = Arc::<Suspects>::default();
    let [a, b] = [b"a", b"b"].map(|told| Mark::of(told));
    suspects.accuse(b);
    let mut session = Session::new(Duration::from_secs(1), suspects.clone());
    let first = session.id();
    session.give(first, a, 'a');
    let waiting = session.id();
    assert!(!session.may_give(b));
    for _ in 0..2 {
        session.id();
        session.ask(Duration::ZERO);
    }
    session.answer();
    assert!(session.may_give(b));
    session.give(waiting, b, 'b');
    assert!(!session.has_read_all());
    session.answer();
    assert!(suspects.is_one(b), "that was the answer to what came before");
    assert!(session.may_ask(), "nobody waits for a second of silence");
    session.id();
    session.ask(Duration::ZERO);
    session.answer();
    assert!(session.has_read_all() && !suspects.is_one(b));
}
