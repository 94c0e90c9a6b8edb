//! What a child says: one message, parsed.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value as Json;
use tormenta_dsl::record::Value;

/// A message from a child.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// It has read the handshake.
    Pid(u64),
    /// A tuple. A bolt names what it is anchored to, a spout what it calls it.
    Emit(Box<Emitted>),
    /// A bolt is done with a tuple.
    Ack(u64),
    /// A bolt could not work on a tuple. Our own module says why, which Storm's does not.
    Fail(u64, Option<String>),
    /// A line for the log, with a level from 0 (trace) to 4 (error).
    Log(String, u8),
    /// An error to be reported.
    Error(String),
    /// Something to be added to a counter.
    Metrics(String, Json),
    /// An answer to a heartbeat, or to a command.
    Sync,
}

/// A tuple that a child emits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Emitted {
    pub(crate) stream: Option<String>,
    pub(crate) values: Vec<Value>,
    pub(crate) anchors: Vec<u64>,
    /// What a spout calls it.
    pub(crate) id: Option<Json>,
    /// Emitted to this task alone.
    pub(crate) task: Option<i64>,
    pub(crate) needs_task_ids: bool,
}

#[derive(Deserialize)]
#[serde(bound = "'de: 'a")]
struct Message<'a> {
    #[serde(default, borrow)]
    command: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    pid: Option<u64>,
    #[serde(default)]
    id: Option<Json>,
    #[serde(default)]
    stream: Option<String>,
    #[serde(default)]
    task: Option<i64>,
    #[serde(default)]
    anchors: Anchors,
    #[serde(default)]
    tuple: Option<Vec<Value>>,
    #[serde(default)]
    need_task_ids: Option<bool>,
    #[serde(default)]
    msg: Option<Json>,
    #[serde(default)]
    level: Option<i64>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    params: Option<Json>,
}

impl Said {
    /// Parses a message. Says what is wrong with it, in words that follow `it said {..}: `.
    pub(crate) fn parse(message: &[u8]) -> Result<Self, String> {
        let message: Message<'_> =
            serde_json::from_slice(message).map_err(|why| format!("no message: {why}"))?;
        let Some(command) = &message.command else {
            return match message.pid {
                Some(pid) => Ok(Self::Pid(pid)),
                None => Err("it has neither `command` nor `pid`".to_owned()),
            };
        };
        let text = |text: Option<Json>| match text {
            Some(Json::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        match &**command {
            "emit" => {
                let values = message.tuple.ok_or("an emit needs `tuple`, a list")?;
                Ok(Self::Emit(Box::new(Emitted {
                    stream: message.stream,
                    values,
                    anchors: message.anchors.0,
                    id: message.id,
                    task: message.task.filter(|task| *task != 0),
                    needs_task_ids: message.need_task_ids.unwrap_or(true),
                })))
            }
            "ack" => tuple_id(message.id.as_ref()).map(Self::Ack),
            "fail" => {
                let why = message.msg.map(|msg| text(Some(msg)));
                tuple_id(message.id.as_ref()).map(|id| Self::Fail(id, why))
            }
            "sync" => Ok(Self::Sync),
            "log" => {
                let level = message.level.unwrap_or(2).clamp(0, 4);
                Ok(Self::Log(text(message.msg), level as u8))
            }
            "error" => Ok(Self::Error(text(message.msg))),
            "metrics" => {
                let name = message.name.filter(|name| !name.is_empty());
                let name = name.ok_or("metrics need `name`")?;
                Ok(Self::Metrics(name, message.params.unwrap_or(Json::Null)))
            }
            other => Err(format!("there is no command `{other}`")),
        }
    }
}

impl Emitted {
    /// Whether the child waits for a list of task ids. Who names the task itself does not.
    pub(crate) fn asks_for_task_ids(&self) -> bool {
        self.needs_task_ids && self.task.is_none()
    }
}

fn tuple_id(id: Option<&Json>) -> Result<u64, String> {
    let number = match id {
        Some(Json::String(text)) => text.parse().ok(),
        Some(Json::Number(number)) => number.as_u64(),
        _ => None,
    };
    number.ok_or_else(|| "`id` is that of no tuple".to_owned())
}

/// Ids of tuples: a list, or the one.
#[derive(Default)]
struct Anchors(Vec<u64>);

impl<'de> Deserialize<'de> for Anchors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnchorsReader).map(Self)
    }
}

struct AnchorsReader;

impl<'de> de::Visitor<'de> for AnchorsReader {
    type Value = Vec<u64>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("`anchors`, a list of ids of tuples")
    }

    fn visit_unit<E>(self) -> Result<Vec<u64>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<Vec<u64>, E> {
        let id = id.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(id), &self))?;
        Ok(vec![id])
    }

    fn visit_u64<E>(self, id: u64) -> Result<Vec<u64>, E> {
        Ok(vec![id])
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut ids: A) -> Result<Vec<u64>, A::Error> {
        let mut anchors = Vec::new();
        while let Some(Anchors(id)) = ids.next_element()? {
            anchors.extend(id);
        }
        Ok(anchors)
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn parse(text: &str) -> Result<Said, String> {
        Said::parse(text.as_bytes())
    }

    #[test]
    fn what_storm_sends_is_understood() {
        let emitted = Emitted {
            stream: Some("words".to_owned()),
            values: vec!["a".into(), 1.into(), 1.5.into(), Value::Null],
            anchors: vec![17, 18],
            ..Emitted::default()
        };
        let text = r#"{"command":"emit","anchors":["17","18"],"stream":"words",
            "need_task_ids":false,"tuple":["a",1,1.5,null]}"#;
        assert_eq!(parse(text), Ok(Said::Emit(Box::new(emitted))));
        for (fields, asks) in [
            (r#""id":{"n":1}"#, true),
            (r#""task":0"#, true), // Storm's word for no task
            (r#""task":3"#, false),
            (r#""task":3,"need_task_ids":true"#, false),
            (r#""need_task_ids":false"#, false),
        ] {
            let said = parse(&format!(r#"{{"command":"emit","tuple":[],{fields}}}"#));
            let Ok(Said::Emit(emitted)) = said else { panic!("{said:?}") };
            assert_eq!(emitted.asks_for_task_ids(), asks, "{fields}");
        }
        assert_eq!(parse(r#"{"command":"ack","id":"7"}"#), Ok(Said::Ack(7)));
        assert_eq!(parse(r#"{"command":"fail","id":7}"#), Ok(Said::Fail(7, None)));
        let why = parse(r#"{"command":"fail","id":7,"msg":"no"}"#);
        assert_eq!(why, Ok(Said::Fail(7, Some("no".to_owned()))));
        assert_eq!(parse(r#"{"command":"sync"}"#), Ok(Said::Sync));
        assert_eq!(parse(r#"{"pid": 12}"#), Ok(Said::Pid(12)));
        let log = parse(r#"{"command":"log","msg":"hi"}"#);
        assert_eq!(log, Ok(Said::Log("hi".to_owned(), 2)));
        let metrics = parse(r#"{"command":"metrics","name":"n","params":3}"#);
        assert_eq!(metrics, Ok(Said::Metrics("n".to_owned(), Json::from(3))));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("{", "no message: EOF while parsing an object at line 1 column 1"),
            ("{}", "it has neither `command` nor `pid`"),
            (r#"{"command":"jump"}"#, "there is no command `jump`"),
            (r#"{"command":"ack"}"#, "`id` is that of no tuple"),
            (r#"{"command":"emit"}"#, "an emit needs `tuple`, a list"),
            (r#"{"command":"metrics"}"#, "metrics need `name`"),
        ] {
            assert_eq!(parse(text), Err(why.to_owned()), "{text}");
        }
    }

    quickcheck! {
        fn garbage_is_refused_and_nothing_panics(bytes: Vec<u8>, text: String) -> bool {
            let field = serde_json::json!({ "command": text }).to_string();
            let is_garbage = |bytes: &[u8]| Said::parse(bytes).is_err();
            let no_command = text == "sync" || is_garbage(field.as_bytes()) || text == "log"
                || text == "error";
            no_command && is_garbage(&bytes)
        }

        fn values_go_there_and_back(numbers: Vec<i64>, text: String) -> bool {
            let mut values: Vec<Value> = numbers.into_iter().map(Value::from).collect();
            values.push(Value::from(text));
            let message = serde_json::json!({ "command": "emit", "tuple": values }).to_string();
            matches!(parse(&message), Ok(Said::Emit(emitted)) if emitted.values == values)
        }
    }
}
