//! Every tuple comes to a task that its grouping allows, and to every one that it names.

use tormenta_dsl::grouping::Kind;

use crate::torture::{
    item::{Item, NO_EMISSION},
    world::{Log, Me, Visit, World},
};

const NAME: &str = "grouping";
const KEYS: usize = 13;

/// The tasks at which each key of each link was seen, as bits.
pub(crate) struct Keys(Vec<[u8; KEYS]>);

impl Keys {
    pub(crate) fn new(links: usize) -> Self {
        Self(vec![[0; KEYS]; links])
    }
}

pub(crate) fn on_execute(
    log: &mut Log,
    world: &World,
    me: Me,
    link: usize,
    item: &Item,
    visits: &[Visit],
) {
    check_nodes(log, world, me, link, item, visits);
    let tasks = &mut log.keys.0[link][item.key as usize % KEYS];
    *tasks |= 1 << me.task;
    let allowed = match world.spec.links[link].grouping {
        Kind::By => 1,
        Kind::PartialBy => 2,
        _ => return,
    };
    if tasks.count_ones() > allowed {
        let what = format!("key {} of link {link} came to tasks {tasks:#b}", item.key);
        log.violation(NAME, what);
    }
}

/// A tuple that is here must be expected here. Of what was merged, a custom grouping may name this
/// task for the sake of one part alone.
fn check_nodes(log: &mut Log, world: &World, me: Me, link: usize, item: &Item, visits: &[Visit]) {
    let is_custom = world.spec.links[link].grouping == Kind::Custom;
    let pairs = item.parts.all().iter().zip(visits);
    let mut strays =
        pairs.filter(|(part, (_, node))| part.emission != NO_EMISSION && node.is_none());
    let lost = if is_custom && visits.len() > 1 {
        visits.iter().all(|(_, node)| node.is_none())
    } else {
        strays.next().is_some()
    };
    if lost {
        let what = format!("{me:?} got {:?} through link {link}, which is not for it", item.parts);
        log.violation(NAME, what);
    }
}
