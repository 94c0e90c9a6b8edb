//! Results over windows of event time, over sessions, and over numbers of rows.

use std::{sync::Arc, time::Duration};

use tormenta::{
    Bolt, Stream,
    bolts::{
        map,
        window::{Firing, WindowOutput, Windowed, Windows},
    },
    record::Value,
};

use super::fold::{Asks, Fold, What};
use crate::{
    key::Key,
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Field, Fields, Positive},
        params::component,
    },
    row::Row,
    shape::{Kind, Shape, Slot},
};

component! {
    /// Folds the rows of each window of each key into one. A window is emitted when event time has
    /// passed its end; rows that come too late for any go to the stream `late`. `<name>/rows` is
    /// where the results come from.
    Window: bolt "window", "the fields of the key, start: int, end: int, firing: text (on_time, \
        late), and the results; late: the rows as they came";

    /// Windows of this length, one after the other. One of `tumbling`, `sliding`, `session` and
    /// `rows` must be given.
    tumbling: Option<Duration>, optional, "\"1m\"";
    /// Windows of this length that overlap.
    sliding: Option<Duration>, optional, "\"10m\"";
    /// How often a sliding window begins.
    slide: Option<Duration>, optional, "\"1m\"";
    /// Windows that end when a key was silent for this long.
    session: Option<Duration>, optional, "\"30m\"";
    /// Windows of so many rows of a key.
    rows: Option<Positive>, optional, "100";
    /// The field with the time, in milliseconds; not for windows of so many `rows`.
    event_time: Option<Field>, optional, "\"time\"";
    /// The fields that a key is made of; unless set, a task has one window for all.
    by: Option<Fields>, optional, "\"url\"";
    /// What is made of each window.
    results: Asks, required, "[\"count\", \"sum bytes\", \"slowest = max ms\", \"top 3 url\"]";
    /// How much earlier than the latest a row may be and still be on time.
    disorder: Duration, or "\"0s\"", "\"10s\"";
    /// How long a window is kept, and corrected by late rows, after it was emitted.
    lateness: Duration, or "\"0s\"", "\"1m\"";
    /// How long an input may be silent before the others no longer wait for it.
    idle_after: Duration, or "\"1m\"", "\"5s\"";
    /// Acks rows when they are added, in place of holding them until their window is emitted.
    ack_on_arrival: bool, or "false", "true";
}

/// The windows that were asked for.
#[derive(Clone, Copy)]
enum Asked {
    Sliding(Duration, Duration),
    Session(Duration),
    Rows(u64),
}

impl Window {
    fn asked(&self) -> Result<Asked, &'static str> {
        match (self.tumbling, self.sliding, self.slide, self.session, self.rows) {
            (Some(width), None, None, None, None) => Ok(Asked::Sliding(width, width)),
            (None, Some(width), Some(slide), None, None) if slide <= width => {
                Ok(Asked::Sliding(width, slide))
            }
            (None, Some(_), Some(_), None, None) => {
                Err("`slide` is longer than the window; make it at most as long")
            }
            (None, Some(_), None, None, None) => {
                Err("a sliding window needs `slide`; say how often one begins")
            }
            (None, None, None, Some(gap), None) => Ok(Asked::Session(gap)),
            (None, None, None, None, Some(rows)) => Ok(Asked::Rows(rows.0)),
            (None, None, None, None, None) => {
                Err("it has no windows; add `tumbling`, `sliding`, `session` or `rows`")
            }
            _ => Err("`tumbling`, `sliding`, `session` and `rows` exclude each other; keep one"),
        }
    }

    fn by(&self) -> &[Field] {
        self.by.as_ref().map_or(&[], |by| &by.0)
    }

    fn check_lengths(&self, inputs: &mut Inputs<'_>) {
        let header = inputs.header;
        match self.asked() {
            Err(why) => inputs.notes.add(header, why),
            Ok(Asked::Sliding(width, slide)) if width.is_zero() || slide.is_zero() => {
                inputs.notes.add(header, "a window of 0 ms; make it 1 ms or longer");
            }
            Ok(Asked::Session(gap)) if gap.is_zero() => {
                inputs.notes.add(header, "a session of 0 ms; make it 1 ms or longer");
            }
            Ok(Asked::Rows(_)) => {
                if let Some(field) = &self.event_time {
                    let why = "windows of so many rows have no time; remove `event_time`";
                    inputs.notes.add(&field.span, why);
                }
            }
            Ok(_) if self.event_time.is_none() => {
                let why = "windows of time need `event_time`; name a field with milliseconds";
                inputs.notes.add(header, why);
            }
            Ok(_) => {}
        }
    }

    /// The fields of the results, with what they are made of.
    fn results(&self, inputs: &mut Inputs<'_>) -> Option<Vec<(String, Kind)>> {
        let mut results = Vec::new();
        let mut all = true;
        for asked in &self.results.0 {
            let of = match &asked.field {
                None => Some(Kind::Any),
                Some(field) => inputs.field(field).map(|slot| slot.kind),
            };
            let kind = of.and_then(|of| asked.what.kind(of));
            if let (Some(of), None) = (of, kind) {
                let why = format!(
                    "`{}` is {of}, and no number; ask for something else",
                    asked.name.value
                );
                inputs.notes.add(&asked.name.span, why);
            }
            let name = asked.name.value.clone();
            let is_taken = ["start", "end", "firing"].contains(&&*name)
                || self.by().iter().any(|field| field.value == name);
            if is_taken {
                let why = format!("`{name}` is a field of the window already; write `other = ..`");
                inputs.notes.add(&asked.name.span, why);
            }
            all &= kind.is_some();
            results.extend(kind.map(|kind| (name, kind)));
        }
        all.then_some(results)
    }

    fn fold(&self, site: &Site<'_>) -> Fold {
        let nothing = Slot { at: 0, kind: Kind::Any };
        let slot = |field: &Option<Field>| field.as_ref().map_or(nothing, |field| site.slot(field));
        let folds: Vec<(What, Slot)> =
            self.results.0.iter().map(|asked| (asked.what, slot(&asked.field))).collect();
        Fold(folds.into())
    }

    /// Declares one of the three kinds of window bolts, and the rows behind it.
    fn declare_bolt<B>(site: &mut Site<'_>, bolt: B) -> Vec<Stream<Row>>
    where
        B: Bolt<Input = Row, Output = WindowOutput<Key, Vec<Value>, Row>>,
    {
        let (schema, tasks) = (site.out().schema(), site.tasks());
        let handle = site.bolt(bolt);
        let row = move |window: Windowed<Key, Vec<Value>>| {
            let firing = match window.firing {
                Firing::OnTime => "on_time",
                Firing::Late => "late",
            };
            let frame = [Value::from(window.start), window.end.into(), firing.into()];
            let values = window.key.values().chain(frame).chain(window.value);
            Row::new(schema, values.collect())
        };
        let rows = *site.further("rows", map(row), handle.results.shuffle()).tasks(tasks);
        vec![rows, handle.late]
    }
}

impl Part for Window {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        self.check_lengths(inputs);
        if let Some(field) = &self.event_time {
            inputs.time(field);
        }
        let key = inputs.key(self.by());
        let results = self.results(inputs);
        let (shape, results) = (inputs.shape()?, key.and(results)?);
        let kind = |name: &str| shape.find(name).map_or(Kind::Any, |slot| slot.kind);
        let keys = self.by().iter().map(|field| (field.value.clone(), kind(&field.value)));
        let frame = [("start", Kind::Int), ("end", Kind::Int), ("firing", Kind::Text)];
        let frame = frame.map(|(name, kind)| (name.to_owned(), kind));
        let fields: Vec<_> = keys.chain(frame).chain(results).collect();
        Some(vec![Out::main(Shape::new(fields)), Out { name: "late", shape }])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let (keys, fold): (Arc<[Slot]>, Fold) = (site.slots(self.by()).into(), self.fold(site));
        let key = move |row: &Row| Key::of(row, &keys);
        let time = self.event_time.as_ref().map_or(0, |field| site.slot(field).at);
        let time = move |row: &Row| row.at(time).as_int().unwrap_or(0);
        let (disorder, lateness, idle) = (self.disorder, self.lateness, self.idle_after);
        macro_rules! policy {
            ($windows:expr) => {{
                let windows = $windows.disorder(disorder).lateness(lateness).idle_after(idle);
                if self.ack_on_arrival { windows.ack_on_arrival() } else { windows }
            }};
        }
        match self.asked() {
            Ok(Asked::Session(gap)) => {
                let windows = policy!(Windows::session(gap).event_time(time).by(key));
                Self::declare_bolt(site, windows.aggregate(fold))
            }
            Ok(Asked::Rows(rows)) => {
                let windows = policy!(Windows::of_count(rows).by(key));
                Self::declare_bolt(site, windows.aggregate(fold))
            }
            Ok(Asked::Sliding(width, slide)) => {
                let windows = policy!(Windows::sliding(width, slide).event_time(time).by(key));
                Self::declare_bolt(site, windows.aggregate(fold))
            }
            Err(why) => unreachable!("a window was planned although {why}"),
        }
    }
}
