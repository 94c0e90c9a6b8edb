//! Metrics as a table for people.

use std::fmt;

use super::{ComponentMetrics, Metrics};

/// The columns: what stands above, and what is in it.
type Column = (&'static str, fn(&ComponentMetrics) -> String);

const COLUMNS: [Column; 9] = [
    ("component", |c| c.name.clone()),
    ("tasks", |c| c.tasks.to_string()),
    ("emitted", |c| c.emitted.to_string()),
    ("executed", |c| c.executed.to_string()),
    ("acked", |c| c.acked.to_string()),
    ("failed", |c| c.failed.to_string()),
    ("queued", |c| c.queued.to_string()),
    ("capacity", |c| format!("{:.2}", c.capacity)),
    ("hot keys", hot_keys),
];

fn hot_keys(component: &ComponentMetrics) -> String {
    let keys = component.hot_keys.iter();
    let told =
        keys.map(|hot| format!("{} at [{}]: {:.0} %", hot.key_group, hot.task, 100.0 * hot.share));
    told.collect::<Vec<_>>().join(", ")
}

/// One line for each component, below one with the names of the columns. A hot key is told as
/// the number of its group, the task that it goes to, and its share.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![COLUMNS.map(|(name, _)| name.to_owned())];
        rows.extend(self.components.iter().map(|c| COLUMNS.map(|(_, cell)| cell(c))));
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
        for row in &rows {
            let mut line = format!("{:<width$}", row[0], width = widths[0]);
            for column in 1..COLUMNS.len() - 1 {
                line += &format!("  {:>width$}", row[column], width = widths[column]);
            }
            line += &format!("  {}", row[COLUMNS.len() - 1]);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::HotKey;

    #[test]
    fn a_line_for_each_component() {
        let hot_keys = vec![HotKey { key_group: 17, task: 1, share: 0.416 }];
        let spout = ComponentMetrics { name: "lines".into(), emitted: 12, ..Default::default() };
        let count = ComponentMetrics {
            name: "count".into(),
            tasks: 2,
            executed: 12_345,
            queued: 7,
            capacity: 0.934,
            hot_keys,
            ..Default::default()
        };
        let metrics = Metrics { components: vec![spout, count], ..Default::default() };
        let told = "\
component  tasks  emitted  executed  acked  failed  queued  capacity  hot keys
lines          0       12         0      0       0       0      0.00
count          2        0     12345      0       0       7      0.93  17 at [1]: 42 %
";
        assert_eq!(metrics.to_string(), told);
    }
}
