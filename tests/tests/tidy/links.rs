//! Links between the pages of the house.

use std::path::{Component, Path};

use super::{File, root};

/// Links that lead nowhere, to a file or to a heading.
pub(crate) fn links(files: &[File]) -> Vec<String> {
    let pages: Vec<&File> = files.iter().filter(|file| file.path.ends_with(".md")).collect();
    let mut findings = Vec::new();
    for page in &pages {
        for target in targets(&page.text) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let here = Path::new(&page.path).parent().unwrap_or(Path::new(""));
            let path = if path.is_empty() { page.path.clone() } else { resolve(&here.join(path)) };
            let found = pages.iter().find(|other| other.path == path);
            let is_there = match found {
                Some(found) => anchor.is_empty() || anchors(&found.text).any(|a| a == anchor),
                None => root().join(&path).exists(),
            };
            if !is_there {
                findings.push(format!("{}: `{target}`", page.path));
            }
        }
    }
    findings
}

/// Where the links of a page lead, as far as that is in the house.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(text) {
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.extend(inline.map(|(target, _)| target));
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        targets.extend(definition.map(|(_, target)| target));
    }
    let is_ours = |target: &&str| !target.contains("://") && !target.contains("::");
    targets.into_iter().filter(is_ours).map(str::to_owned).collect()
}

/// The anchors that headings get.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter_map(|line| line.strip_prefix('#')).map(|heading| {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        heading.chars().filter(kept).collect::<String>().replace(' ', "-")
    })
}

/// The lines of a page that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        is_code ^= fence;
        !is_code && !fence
    })
}

/// A path without `.` and `..`.
fn resolve(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_string_lossy()),
            _ => {}
        }
    }
    parts.join("/")
}
