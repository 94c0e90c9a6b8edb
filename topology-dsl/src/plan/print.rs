//! The plan as a tree, as JSON and for Graphviz.

use std::fmt;

use super::{ComponentKind, Plan, PlanComponent, PlanEdge};

impl Plan {
    /// The plan as JSON. Field names are part of the public contract.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The plan in the language of Graphviz.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut dot = format!("digraph \"{}\" {{\n  rankdir=LR;\n", self.name);
        for component in &self.components {
            let shape = match component.kind {
                ComponentKind::Spout => "cds",
                ComponentKind::Bolt => "box",
            };
            let (name, tasks) = (&component.name, component.settings.tasks);
            dot += &format!("  \"{name}\" [shape={shape}, label=\"{name} x{tasks}\"];\n");
        }
        for edge in &self.edges {
            let (from, to) = (&self.components[edge.source], &self.components[edge.target]);
            let style = if edge.feedback { ", style=dashed" } else { "" };
            let label = self.label(edge);
            dot += &format!("  \"{}\" -> \"{}\" [label=\"{label}\"{style}];\n", from.name, to.name);
        }
        dot + "}\n"
    }

    /// `shuffle`, or `alert: by` where the source has several ports.
    fn label(&self, edge: &PlanEdge) -> String {
        let ports = &self.components[edge.source].ports;
        match &ports[..] {
            [_] => edge.grouping.to_string(),
            _ => format!("{}: {}", ports[edge.port].name, edge.grouping),
        }
    }
}

/// One line a component, with what it reads.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "topology {}", self.name)?;
        for (index, component) in self.components.iter().enumerate() {
            let last = index + 1 == self.components.len();
            let (branch, trunk) = if last { ("`-", "  ") } else { ("|-", "| ") };
            writeln!(f, "{branch} {}", title(component))?;
            for edge in self.edges.iter().filter(|edge| edge.target == index) {
                let arrow = if edge.feedback { "<~" } else { "<-" };
                let source = &self.components[edge.source].name;
                writeln!(f, "{trunk}    {arrow} {source} ({})", self.label(edge))?;
            }
        }
        Ok(())
    }
}

fn title(component: &PlanComponent) -> String {
    let kind = match component.kind {
        ComponentKind::Spout => "spout",
        ComponentKind::Bolt => "bolt ",
    };
    let streams: Vec<&str> = component.ports.iter().map(|port| port.schema.as_str()).collect();
    let output =
        if streams.is_empty() { String::new() } else { format!(" -> {}", streams.join(" | ")) };
    format!("{kind} {} x{}{output}", component.name, component.settings.tasks)
}
