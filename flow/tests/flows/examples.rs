//! The flows of `examples/flows`, each with a small input of its own.

use std::path::Path;

use tormenta_flow::Flow;

use crate::kit::{Desk, Listening};

/// An example, whose variables name files of the desk; other texts stand as they are.
fn example(desk: &Desk, name: &str, variables: &[(&str, &str)]) -> Flow {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flows").join(name);
    let text = std::fs::read_to_string(&path).expect("an example");
    let look_up = |wanted: &str| {
        let (_, value) = variables.iter().find(|(name, _)| *name == wanted)?;
        Some(value.strip_prefix('/').map_or_else(|| (*value).to_owned(), |file| desk.path(file)))
    };
    Flow::parse(name, &text, look_up).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn words() {
    let desk = Desk::with("book", "to be or\nnot to be\n");
    desk.run_flow(&example(&desk, "words.toml", &[("BOOK", "/book"), ("OUT", "/counts")]));
    assert_eq!(sorted(&desk.read("counts")), ["be\t2", "not\t1", "or\t1", "to\t2"]);
}

#[test]
fn errors_by_hour() {
    let line = |time: &str, url: &str, status: u16| {
        format!("::1 - - [20/Nov/2026:{time} +0000] \"GET {url} HTTP/1.0\" {status} 5\n")
    };
    let log: String = [
        line("16:00:00", "/", 200),
        line("16:30:00", "/a", 404),
        line("16:59:59", "/", 200),
        line("17:00:00", "/b", 500),
    ]
    .concat();
    let desk = Desk::with("log", &format!("{log}no line of a log\n"));
    desk.run_flow(&example(&desk, "errors-by-hour.toml", &[("LOG", "/log"), ("OUT", "/out")]));
    assert_eq!(
        sorted(&desk.read("out")),
        [
            "2026-11-20T16:00:00Z,,404,1",
            "2026-11-20T16:00:00Z,/,,2",
            "2026-11-20T16:00:00Z,/a,,1",
            "2026-11-20T17:00:00Z,,500,1",
            "2026-11-20T17:00:00Z,/b,,1",
            "hour,url,status,requests",
        ]
    );
}

#[test]
fn unpaid_orders() {
    let desk = Desk::with(
        "orders",
        "id,customer,cents,at\na1,ann,1000,2026-11-20T16:00:00Z\n\
         a2,bob,250,2026-11-20T16:01:00Z\na3,cy,400,2026-11-20T16:02:00Z\n",
    );
    desk.write(
        "paid",
        "order,cents,at\na2,250,2026-11-20T16:03:00Z\na1,900,2026-11-20T16:09:00Z\n\
         a3,400,2026-11-20T17:00:00Z\n",
    );
    let variables = [("ORDERS", "/orders"), ("PAYMENTS", "/paid"), ("OUT", "/out")];
    desk.run_flow(&example(&desk, "unpaid-orders.toml", &variables));
    assert_eq!(
        sorted(&desk.read("out")),
        [
            "a1,ann,1000,100,paid",
            "a2,bob,250,0,paid",
            "a3,cy,400,400,open",
            "id,customer,cents,rest,state",
        ]
    );
}

#[test]
fn edits_by_hour() {
    let edit = |time: &str, channel: &str, delta: i64| {
        format!(
            "{{\"time\":\"{time}\",\"channel\":\"{channel}\",\"user\":\"u\",\"delta\":{delta}}}\n"
        )
    };
    let edits: String = [
        edit("2026-11-20T16:00:00Z", "#en", 5),
        edit("2026-11-20T16:59:00Z", "#en", -2),
        edit("2026-11-20T16:10:00Z", "#pt", 1),
        edit("2026-11-20T18:00:00Z", "#en", 9),
        edit("2026-11-20T16:01:00Z", "#en", 100),
        edit("yesterday", "#en", 0),
    ]
    .concat();
    let desk = Desk::with("edits", &edits);
    let variables = [("EDITS", "/edits"), ("OUT", "/out"), ("LATE", "/late")];
    desk.run_flow(&example(&desk, "edits-by-hour.toml", &variables));
    assert_eq!(
        sorted(&desk.read("out")),
        [
            "2026-11-20T16:00:00Z,#en,2,3",
            "2026-11-20T16:00:00Z,#pt,1,1",
            "2026-11-20T18:00:00Z,#en,1,9",
            "hour,channel,edits,sum_delta",
        ]
    );
    let late = desk.read("late");
    let why: Vec<&str> = sorted(&late).iter().filter_map(|line| line.split('"').nth(3)).collect();
    assert_eq!(why, ["late", "no time"]);
}

#[test]
fn sensors_post_each_measurement_once() {
    let (desk, listening) = (Desk::new(), Listening::free());
    let variables = [("ADDRESS", listening.address()), ("OUT", "/out")];
    let flow = example(&desk, "sensors.toml", &variables);
    let running = desk.start(&flow);
    let post = |body: &str| listening.post("/measurements", body);
    let measured = r#"{"id":"a","device":{"name":"roof"},"at":"2026-11-20","celsius":12}"#;
    assert_eq!(post(measured).0, 200);
    assert_eq!(post(measured).0, 200);
    for (body, says) in [
        ("nope", "send one object of JSON with id, device, at, celsius: expected"),
        ("[]", "expected an object at line 1"),
        ("{\"celsius\":\"warm\"}", "invalid type: string \"warm\", expected float at line 1"),
        ("{} {}", "trailing characters"),
        ("", "EOF"),
    ] {
        let (status, why) = post(body);
        assert!(status == 400 && why.contains(says), "{body}: {status} {why}");
    }
    running.drain();
    assert_eq!(running.wait().error, None);
    let row = r#"{"id":"a","device":"roof","at":"2026-11-20","celsius":12.0}"#;
    assert_eq!(desk.read("out"), format!("{row}\n"));
}

#[test]
fn slow_requests_take_only_what_they_can_read() {
    let (desk, listening) = (Desk::new(), Listening::free());
    let variables = [("ADDRESS", listening.address()), ("OUT", "/out"), ("STRANGE", "/strange")];
    let flow = example(&desk, "slow-requests.toml", &variables);
    let running = desk.start(&flow);
    let post = |body: &str| listening.post("/requests", body).0;
    assert_eq!(post(r#"{"at":"2026-11-20T16:30:01Z","route":"/pay","ms":12.5}"#), 200);
    assert_eq!(post(r#"{"at":"2026-11-20T16:30:02Z","route":"/pay","ms":7.5}"#), 200);
    assert_eq!(post(r#"{"at":"noon","route":"/pay","ms":1}"#), 200);
    assert_eq!(post(r#"{"at":"2026-11-20T16:30:02Z","route":7}"#), 400);
    assert_eq!(listening.post("/other", "{}").0, 404);
    running.drain();
    assert_eq!(running.wait().error, None);
    let report = desk.read("out");
    assert!(report.ends_with("on_time,2,10,12.5\n"), "{report}");
    assert!(desk.read("strange").contains("\"at\":\"noon\""));
}
