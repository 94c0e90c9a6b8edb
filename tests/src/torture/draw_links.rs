//! Draws who reads what: chains, diamonds, joins, loops.

use tormenta_dsl::grouping::Kind;
use tormenta_runtime::Rng;

use super::{
    item::SLOTS,
    spec::{CLASSES, Component, Link},
};

/// Draws the links; gives components that turn out to be read by nobody no ports.
pub(crate) fn draw_links(
    rng: &mut Rng,
    components: &mut [Component],
    sources: usize,
    is_smooth: bool,
) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for target in sources..components.len() {
        let reads = if is_smooth && !rng.one_in(4) { 1 } else { [1, 1, 2, 2, 3][rng.below(5)] };
        for slot in 0..reads {
            let source = draw_source(rng, &links, target);
            let port = rng.below(components[source].ports);
            let grouping = if is_smooth && !rng.one_in(3) { Kind::Shuffle } else { draw_kind(rng) };
            links.push(Link { source, port, target, slot, grouping, feedback: false });
        }
    }
    if rng.one_in(4) {
        close_a_loop(rng, components, sources, &mut links);
    }
    for (index, component) in components.iter_mut().enumerate().skip(sources) {
        if !links.iter().any(|link| link.source == index) && !rng.one_in(4) {
            component.ports = 0;
        }
    }
    links
}

/// A component that nobody reads yet, most of the time; so nothing is left alone.
fn draw_source(rng: &mut Rng, links: &[Link], target: usize) -> usize {
    let unread: Vec<usize> =
        (0..target).filter(|c| !links.iter().any(|link| link.source == *c)).collect();
    if unread.is_empty() || rng.one_in(3) {
        return rng.below(target);
    }
    unread[rng.below(unread.len())]
}

fn draw_kind(rng: &mut Rng) -> Kind {
    match rng.below(13) {
        0..=3 => Kind::Shuffle,
        4 => Kind::None,
        5 => Kind::LocalOrShuffle,
        6 | 7 => Kind::By,
        8 => Kind::PartialBy,
        9 => Kind::All,
        10 => Kind::Global,
        11 => Kind::Direct,
        _ => Kind::Custom,
    }
}

/// Feeds port 1 of a bolt back to a bolt that leads to it, or to itself.
fn close_a_loop(
    rng: &mut Rng,
    components: &mut [Component],
    sources: usize,
    links: &mut Vec<Link>,
) {
    let source = sources + rng.below(components.len() - sources);
    let targets: Vec<usize> = (sources..=source)
        .filter(|target| *target == source || leads_to(links, *target, source))
        .filter(|target| links.iter().filter(|link| link.target == *target).count() < SLOTS)
        .collect();
    if targets.is_empty() {
        return;
    }
    let target = targets[rng.below(targets.len())];
    // What reads port 1 so far reads port 0 instead: only what is fed back may know its end.
    for link in links.iter_mut().filter(|link| link.source == source) {
        link.port = 0;
    }
    let slot = links.iter().filter(|link| link.target == target).count();
    let grouping = draw_kind(rng);
    links.push(Link { source, port: 1, target, slot, grouping, feedback: true });
    let component = &mut components[source];
    component.ports = 2;
    for class in 0..CLASSES {
        component.hops[class] = rng.below(4) as u8;
        component.fan[class][1] = component.fan[class][1].max(1);
    }
}

pub(crate) fn leads_to(links: &[Link], from: usize, to: usize) -> bool {
    links
        .iter()
        .filter(|link| link.source == from && !link.feedback)
        .any(|link| link.target == to || leads_to(links, link.target, to))
}
