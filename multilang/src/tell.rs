//! What a child is told: messages, written.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};
use tormenta_dsl::{
    Context, Error, Result, Streams,
    record::{Schema, Value},
};

use crate::{
    fields::Outputs,
    layout::{Layout, id_of},
    settings::Settings,
    suspects::Mark,
};

/// The line after every message.
const END: &[u8] = b"\nend\n";

/// The task, component and streams of what the engine itself sends.
const SYSTEM: &str = r#"","comp":"__system","stream":"#;
const SYSTEM_TASK: &str = r#","task":-1,"tuple":["#;

/// What a tick's seconds are rounded by: it may come a little early.
const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// Where the tuples of one port come from, as the child is told.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) component: String,
    pub(crate) stream: String,
    /// Names of the fields. A child that is started again is told the same.
    fields: Json,
    /// Between the id of a tuple and its values.
    middle: String,
}

impl Origin {
    pub(crate) fn new(component: &str, stream: &str, task: usize, schema: &Schema) -> Self {
        let (comp, name) = (Json::from(component), Json::from(stream));
        let middle = format!(r#"","comp":{comp},"stream":{name},"task":{task},"tuple":["#);
        let (component, stream) = (component.to_owned(), stream.to_owned());
        Self { component, stream, fields: names(schema), middle }
    }

    /// One for each port: as declared, else where all tuples come from, else named after them. The
    /// task is the first of the component: which of its tasks sent a tuple nobody knows here.
    pub(crate) fn of_ports<I: Streams>(declared: &[(String, String)], cx: &Context) -> Vec<Self> {
        let (layout, infos) = (Layout::of(cx), I::infos());
        let lone = layout.lone_source().filter(|_| infos.len() == 1);
        let port = |(port, info): (usize, tormenta_dsl::PortInfo)| {
            let (component, stream) = match (declared.get(port), &lone) {
                (Some((component, stream)), _) => (&**component, &**stream),
                (None, Some(from)) => (from.component, from.stream),
                (None, None) => (info.schema.name(), info.name),
            };
            Self::new(component, stream, layout.first_task(component), &info.schema)
        };
        infos.into_iter().enumerate().map(port).collect()
    }
}

/// Writes a tuple. Returns what it is known by: all that is told of it but its id.
pub(crate) fn tuple(to: &mut Vec<u8>, id: u64, origin: &Origin, values: &[Value]) -> Result<Mark> {
    let start = to.len();
    begin(to, id);
    let told = to.len();
    to.extend_from_slice(origin.middle.as_bytes());
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            to.push(b',');
        }
        if let Err(why) = serde_json::to_writer(&mut *to, value) {
            to.truncate(start);
            return Err(Error::poison(why).context("write a tuple as JSON"));
        }
    }
    to.extend_from_slice(b"]}");
    to.extend_from_slice(END);
    Ok(Mark::of(&to[told..]))
}

/// Writes the answer to an emit: the ids of the tasks with these numbers.
pub(crate) fn task_ids(to: &mut Vec<u8>, numbers: &[usize]) {
    to.push(b'[');
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            to.push(b',');
        }
        to.extend_from_slice(id_of(*number).to_string().as_bytes());
    }
    to.push(b']');
    to.extend_from_slice(END);
}

/// Writes a tick. As in Storm its one value is its interval in whole seconds, at least one; here
/// that is the time since the last tick.
pub(crate) fn tick(to: &mut Vec<u8>, id: u64, since: Duration) {
    let seconds = (since + HALF_A_SECOND).as_secs().max(1);
    system(to, id, "__tick", &seconds.to_string());
}

/// Writes a heartbeat, which is to be answered with `sync`.
pub(crate) fn heartbeat(to: &mut Vec<u8>, id: u64) {
    system(to, id, "__heartbeat", "");
}

fn system(to: &mut Vec<u8>, id: u64, stream: &str, values: &str) {
    begin(to, id);
    for part in [SYSTEM, "\"", stream, "\"", SYSTEM_TASK, values, "]}"] {
        to.extend_from_slice(part.as_bytes());
    }
    to.extend_from_slice(END);
}

fn begin(to: &mut Vec<u8>, id: u64) {
    to.extend_from_slice(br#"{"id":""#);
    to.extend_from_slice(id.to_string().as_bytes());
}

/// Writes a command to a spout.
pub(crate) fn command(to: &mut Vec<u8>, command: &str, id: Option<&Json>) {
    message(to, &json!({ "command": command, "id": id.unwrap_or(&Json::from("")) }));
}

/// Writes the handshake.
pub(crate) fn handshake(
    to: &mut Vec<u8>,
    settings: &Settings,
    cx: &Context,
    outputs: &Outputs,
    origins: &[Origin],
    pid_dir: &std::path::Path,
) {
    let mut conf = settings.conf.clone();
    conf.entry("topology.name".to_owned()).or_insert_with(|| cx.topology().into());
    conf.entry("topology.subprocess.timeout.secs".to_owned())
        .or_insert_with(|| settings.timeout.as_secs().max(1).into());
    message(
        to,
        &json!({
            "conf": conf,
            "pidDir": pid_dir,
            "context": context(cx, outputs, origins),
        }),
    );
}

/// What the child may know of the topology.
fn context(cx: &Context, outputs: &Outputs, origins: &[Origin]) -> Json {
    let layout = Layout::of(cx);
    let (mut streams, mut fields, mut targets) = (Vec::new(), json!({}), json!({}));
    for (port, (name, schema)) in outputs.iter().enumerate() {
        streams.push(name);
        fields[name] = names(schema);
        targets[name] = layout.readers(port).into();
    }
    let (mut groupings, mut sources) = (json!({}), json!({}));
    for origin in origins {
        groupings[&origin.component][&origin.stream] = layout.grouping_from(&origin.component);
        sources[&origin.component][&origin.stream] = origin.fields.clone();
    }
    json!({
        "task->component": layout.tasks(),
        "taskid": layout.own_id(),
        "componentid": cx.component(),
        "streams": streams,
        "stream->outputfields": fields,
        "stream->target->grouping": targets,
        "source->stream->grouping": groupings,
        "source->stream->fields": sources,
    })
}

fn names(schema: &Schema) -> Json {
    schema.fields().iter().map(|field| Json::from(&*field.name)).collect()
}

fn message(to: &mut Vec<u8>, message: &impl Serialize) {
    let start = to.len();
    if serde_json::to_writer(&mut *to, message).is_err() {
        unreachable!("{:?} is a value of JSON, whose keys are text", &to[start..]);
    }
    to.extend_from_slice(END);
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::frames::Frames;

    fn read(bytes: &[u8]) -> Json {
        let mut frames = Frames::new(usize::MAX);
        frames.push(bytes);
        let message = frames.next().expect("no nonsense").expect("whole");
        serde_json::from_slice(message).expect("JSON")
    }

    quickcheck! {
        fn tuples_are_messages(id: u64, component: String, texts: Vec<String>) -> bool {
            let values: Vec<Value> = texts.iter().map(|text| text.as_str().into()).collect();
            let mut bytes = Vec::new();
            let origin = Origin::new(&component, "s", 7, &Schema::new("Words", &[]));
            let mark = tuple(&mut bytes, id, &origin, &values).expect("written");
            let again = tuple(&mut Vec::new(), !id, &origin, &values).expect("written");
            mark == again && read(&bytes) == json!({
                "id": id.to_string(), "comp": component, "stream": "s", "task": 7, "tuple": texts,
            })
        }
    }

    #[test]
    fn the_engine_speaks_as_storm_does() {
        let mut bytes = Vec::new();
        heartbeat(&mut bytes, 7);
        let expected = json!({
            "id": "7", "comp": "__system", "stream": "__heartbeat", "task": -1, "tuple": [],
        });
        assert_eq!(read(&bytes), expected);
        bytes.clear();
        for (since, seconds) in [(0, 1), (20, 1), (1_400, 1), (9_999, 10), (60_000, 60)] {
            tick(&mut bytes, 8, Duration::from_millis(since));
            let told = read(&bytes);
            assert_eq!((&told["stream"], &told["tuple"]), (&json!("__tick"), &json!([seconds])));
            bytes.clear();
        }
        command(&mut bytes, "ack", Some(&json!({ "n": 1 })));
        assert_eq!(read(&bytes), json!({ "command": "ack", "id": { "n": 1 } }));
        for (numbers, ids) in [(&[][..], json!([])), (&[0], json!([1])), (&[9, 3], json!([10, 4]))]
        {
            bytes.clear();
            task_ids(&mut bytes, numbers);
            assert_eq!(read(&bytes), ids);
        }
    }
}
