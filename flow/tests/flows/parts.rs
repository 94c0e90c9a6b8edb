//! Each component, with files that it reads and writes.

use crate::kit::Desk;

const LINES: &str = "
    [spouts.lines]
    type = \"lines\"
    path = \"${DIR}/in\"
";

/// A flow of lines and one bolt.
fn rows(input: &str, bolt: &str) -> Vec<String> {
    let desk = Desk::with("in", input);
    desk.rows(&format!("{LINES}\n[bolts.out]\nreads = \"lines\"\n{bolt}"))
}

#[test]
fn lines_have_numbers_if_that_is_wanted() {
    let desk = Desk::with("in", "a\nb\n");
    let flow = "[spouts.out]\ntype = \"lines\"\npath = [\"${DIR}/in\"]\nnumbered = true";
    let rows = desk.rows(flow);
    assert_eq!(rows[1], r#"{"line":"b","file":0,"number":2}"#);
}

#[test]
fn split_into_words_and_parts() {
    assert_eq!(
        rows("to  be\nor\n", "type = \"split\""),
        [r#"{"word":"be"}"#, r#"{"word":"or"}"#, r#"{"word":"to"}"#]
    );
    let tags = "type = \"split\"\nseparator = \",\"\ninto = \"tag\"\nkeep = \"line\"";
    assert_eq!(
        rows("a,,b\n", tags),
        [
            r#"{"line":"a,,b","tag":""}"#,
            r#"{"line":"a,,b","tag":"a"}"#,
            r#"{"line":"a,,b","tag":"b"}"#
        ]
    );
}

#[test]
fn fields_are_parsed_and_what_has_none_is_rejected() {
    let desk = Desk::with("in", "7 x y\nseven x y\n8 \"x z\"\n9\n");
    let parse = "[bolts.parse]\ntype = \"parse-fields\"\nreads = \"lines\"\nquotes = true\n\
                 fields = [\"n: int\", \"t\"]";
    let out = |from: &str| {
        format!(
            "{LINES}\n{parse}\n[bolts.out]\ntype = \"select\"\nreads = \"{from}\"\nfields = [{}]",
            if from == "parse" { "\"t\", \"m = n\"" } else { "\"line\"" }
        )
    };
    assert_eq!(desk.rows(&out("parse")), [r#"{"t":"x z","m":8}"#, r#"{"t":"x","m":7}"#]);
    assert_eq!(desk.rows(&out("parse.rejected")), [r#"{"line":"9"}"#, r#"{"line":"seven x y"}"#]);
}

#[test]
fn json_is_parsed() {
    let bolt = "type = \"parse-json\"\nfields = [\"a\", \"n: int\", \"any: any\"]";
    let input = "{\"n\":1,\"a\":\"x\",\"z\":0}\n{\"any\":[1,{}]}\n{\"n\":\"1\"}\nnope\n";
    assert_eq!(
        rows(input, bolt),
        [r#"{"a":"x","n":1,"any":null}"#, r#"{"a":null,"n":null,"any":[1,{}]}"#]
    );
}

#[test]
fn csv_and_json_files_are_tables() {
    let desk = Desk::with("in.csv", "amount,card,zip\n1.5,007,x\n,\"a,b\",y\nmuch,c,z\n");
    let csv = "[spouts.out]\ntype = \"csv\"\npath = \"${DIR}/in.csv\"\n\
               fields = [\"card\", \"amount: float\"]";
    assert_eq!(
        desk.rows(csv),
        [r#"{"card":"007","amount":1.5}"#, r#"{"card":"a,b","amount":null}"#]
    );
    desk.write("in.jsonl", "{\"n\":2,\"t\":\"a\"}\n\n{\"t\":\"b\"}\n{\"n\":true}\n");
    let json = "[spouts.out]\ntype = \"json-lines\"\npath = \"${DIR}/in.jsonl\"\n\
                fields = [\"t\", \"n: int\"]";
    assert_eq!(desk.rows(json), [r#"{"t":"a","n":2}"#, r#"{"t":"b","n":null}"#]);
}

#[test]
fn a_file_without_the_column_is_refused() {
    let desk = Desk::with("in.csv", "amount\n1\n");
    let text = "[spouts.out]\ntype = \"csv\"\npath = \"${DIR}/in.csv\"\nfields = [\"card\"]";
    let flow = desk.flow(text).expect("no mistakes");
    let running = tormenta::start(flow.topology(), tormenta::Options::default()).expect("starts");
    let error = running.wait().error.expect("refused");
    assert!(error.contains("has no column `card`; its columns are `amount`"), "{error}");
}

#[test]
fn filters_keep_what_compares() {
    let parse = "[bolts.n]\ntype = \"parse-fields\"\nreads = \"lines\"\nfields = [\"n: int\"]";
    let desk = Desk::with("in", "1\n5\n9\n");
    for (op, value, kept) in [("<", "5", 1), ("<=", "5.0", 2), ("!=", "5", 2), (">", "4.5", 2)] {
        let filter = format!(
            "{LINES}\n{parse}\n[bolts.out]\ntype = \"filter\"\nreads = \"n\"\nfield = \"n\"\n\
             op = \"{op}\"\nvalue = {value}"
        );
        assert_eq!(desk.rows(&filter).len(), kept, "{op} {value}");
    }
    let texts = "type = \"filter\"\nfield = \"line\"\nop = \"starts_with\"\nvalue = \"ab\"";
    assert_eq!(rows("abc\nxab\n", texts), [r#"{"line":"abc"}"#]);
}

#[test]
fn map_changes_or_adds_a_field() {
    let lower = "type = \"map\"\nfield = \"line\"\nop = \"lower\"";
    assert_eq!(rows("AbÄ\n", lower), [r#"{"line":"abä"}"#]);
    let length = "type = \"map\"\nfield = \"line\"\nop = \"length\"\ninto = \"n\"";
    assert_eq!(rows("abc\n", length), [r#"{"line":"abc","n":3}"#]);
}

#[test]
fn times_become_milliseconds() {
    let bolt = "type = \"parse-time\"\nfield = \"line\"\ninto = \"ms\"";
    assert_eq!(
        rows("1970-01-01T00:00:01Z\nlater\n", bolt),
        [r#"{"line":"1970-01-01T00:00:01Z","ms":1000}"#]
    );
}

#[test]
fn fewer_rows() {
    let input = "a\nb\na\nc\nb\na\n";
    assert_eq!(rows(input, "type = \"dedup\"\nby = \"line\"").len(), 3);
    assert_eq!(rows(input, "type = \"sample\"\nevery = 4").len(), 2);
    assert_eq!(rows(input, "type = \"sample\"\nfraction = 1.0\nby = \"line\"").len(), 6);
    assert_eq!(
        rows(input, "type = \"rate-limit\"\nper_second = 1\nburst = 3\ndrop = true").len(),
        3
    );
}

#[test]
fn counts_at_each_row_and_at_the_end() {
    let input = "a\nb\na\n";
    let each = rows(input, "type = \"count\"\nby = \"line\"");
    assert_eq!(
        each,
        [r#"{"line":"a","count":1}"#, r#"{"line":"a","count":2}"#, r#"{"line":"b","count":1}"#]
    );
    for emit in ["end", "tick"] {
        let last = rows(
            input,
            &format!("type = \"count\"\nby = \"line\"\nemit = \"{emit}\"\ninto = \"n\""),
        );
        assert_eq!(last, [r#"{"line":"a","n":2}"#, r#"{"line":"b","n":1}"#], "{emit}");
    }
}

#[test]
fn rankings_of_one_task_and_of_several_agree() {
    let input = "b\na\nb\nc\nb\na\n";
    let tail = |row: &String| row.split(",\"start\"").next().unwrap_or_default().to_owned();
    for tasks in [1, 3] {
        let desk = Desk::with("in", input);
        let flow = format!(
            "{LINES}\n[bolts.out]\ntype = \"top-n\"\nn = 2\nby = \"line\"\ntasks = {tasks}\n\
             reads = {{ from = \"lines\", by = \"line\" }}"
        );
        let rows: Vec<String> = desk.rows(&flow).iter().map(tail).collect();
        let expected = [r#"{"rank":1,"line":"b","count":3"#, r#"{"rank":2,"line":"a","count":2"#];
        assert_eq!(rows, expected, "{tasks} tasks");
    }
}

/// Slots that were not asked for fit themselves to the window.
#[test]
fn a_ranking_is_over_any_window() {
    for over in ["10s", "61ms", "1ms", "7m", "1d"] {
        let desk = Desk::with("in", "b\na\nb\n");
        let flow = format!(
            "{LINES}\n[bolts.out]\ntype = \"top-n\"\nby = \"line\"\nreads = \"lines\"\n\
             over = \"{over}\""
        );
        let _ = desk.rows(&flow);
    }
}

#[test]
fn joins_pair_rows_by_the_fields_of_their_groupings() {
    let desk = Desk::with("orders", "id,what\n1,tea\n2,milk\n");
    desk.write("paid", "order,what\n2,cash\n3,card\n");
    let flow = |keep: &str| {
        format!(
            "[spouts.orders]\ntype = \"csv\"\npath = \"${{DIR}}/orders\"\nfields = [\"id: int\", \
                \"what\"]\n\
             [spouts.paid]\ntype = \"csv\"\npath = \"${{DIR}}/paid\"\n\
             fields = [\"order: int\", \"what\"]\n\
             [bolts.out]\ntype = \"join\"\nkeep = \"{keep}\"\ntasks = 2\nreads = [\n\
             {{ from = \"orders\", by = \"id\", side = \"left\" }},\n\
             {{ from = \"paid\", by = \"order\", side = \"right\" }},\n]"
        )
    };
    let pair = r#"{"id":2,"what":"milk","order":2,"right_what":"cash"}"#;
    let left = r#"{"id":1,"what":"tea","order":null,"right_what":null}"#;
    let right = r#"{"id":null,"what":null,"order":3,"right_what":"card"}"#;
    assert_eq!(desk.rows(&flow("inner")), [pair]);
    assert_eq!(desk.rows(&flow("left")), [left, pair]);
    assert_eq!(desk.rows(&flow("full")), [left, pair, right]);
}

#[test]
fn sinks_write_what_they_say() {
    let desk = Desk::with("in", "a,b\nc\n");
    desk.run(&format!(
        "{LINES}\n\
         [bolts.csv]\ntype = \"csv-file\"\nreads = \"lines\"\npath = \"${{DIR}}/o.csv\"\n\
         [bolts.json]\ntype = \"json-file\"\nreads = \"lines\"\npath = \"${{DIR}}/o.jsonl\"\n\
         fsync = \"each\"\n\
         [bolts.file]\ntype = \"line-file\"\nreads = \"lines\"\npath = \"${{DIR}}/o.txt\"\n\
         template = \"<{{line}}>\""
    ));
    assert_eq!(desk.read("o.csv"), "line\n\"a,b\"\nc\n");
    assert_eq!(desk.read("o.jsonl"), "{\"line\":\"a,b\"}\n{\"line\":\"c\"}\n");
    assert_eq!(desk.read("o.txt"), "<a,b>\n<c>\n");
}

#[test]
fn a_loop_is_closed_by_feedback() {
    // Each length is cut by a letter until nothing is left.
    let desk = Desk::with("in", "abc\n");
    let flow = format!(
        "{LINES}\n\
         [bolts.rest]\ntype = \"filter\"\nfield = \"line\"\nop = \"!=\"\nvalue = \"\"\n\
         reads = [\"lines\", {{ from = \"cut\", feedback = true }}]\n\
         [bolts.cut]\ntype = \"map\"\nfield = \"line\"\nop = \"after\"\nargument = \"b\"\n\
         reads = \"rest\"\n\
         [bolts.out]\ntype = \"select\"\nreads = \"rest\"\nfields = [\"line\"]"
    );
    assert_eq!(desk.rows(&flow), [r#"{"line":"abc"}"#, r#"{"line":"c"}"#]);
}

#[cfg(unix)]
#[test]
fn other_languages_work_on_rows() {
    let desk = Desk::with("in", "abc\n");
    desk.write(
        "bolt.py",
        "import storm\n\
         class Length(storm.BasicBolt):\n    \
         def process(self, tup):\n        \
         storm.emit([tup.values[0].upper(), len(tup.values[0])])\n\
         Length().run()\n",
    );
    let flow = format!(
        "{LINES}\n[bolts.out]\ntype = \"shell\"\nreads = \"lines\"\n\
         command = [\"python3\", \"${{DIR}}/bolt.py\"]\nfields = [\"big\", \"n: int\"]"
    );
    assert_eq!(desk.rows(&flow), [r#"{"big":"ABC","n":3}"#]);
}

#[test]
fn rows_go_through_a_child_with_their_nulls_and_their_names() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    let desk = Desk::with("in.jsonl", "{\"a\":\"x\",\"n\":1}\n{\"a\":\"y\"}\n{\"n\":3}\n");
    // It dies once, after which another one is told what the first one was.
    desk.write(
        "echo.py",
        "import os, tormenta\n\
         class Echo(tormenta.BasicBolt):\n\
         \x20   def initialize(self, conf, context):\n\
         \x20       self.fields = context['source->stream->fields']['rows']['default']\n\
         \x20   def process(self, tup):\n\
         \x20       if not os.path.exists('once'):\n\
         \x20           open('once', 'w').close()\n\
         \x20           os._exit(1)\n\
         \x20       tormenta.emit(tup.values + [','.join(self.fields)])\n\
         Echo().run()\n",
    );
    let rows = desk.rows(
        "[spouts.rows]\ntype = \"json-lines\"\npath = \"${DIR}/in.jsonl\"\nattempts = 5\n\
         fields = [\"a\", \"n: int\"]\n\
         [bolts.out]\ntype = \"shell\"\nreads = \"rows\"\ncwd = \"${DIR}\"\n\
         command = [\"python3\", \"echo.py\"]\nfields = [\"a\", \"n: int\", \"names\"]",
    );
    let expected = [
        r#"{"a":"x","n":1,"names":"a,n"}"#,
        r#"{"a":"y","n":null,"names":"a,n"}"#,
        r#"{"a":null,"n":3,"names":"a,n"}"#,
    ];
    assert_eq!(rows, expected);
}
