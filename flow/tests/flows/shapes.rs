//! Bolts that read streams of several shapes.

use crate::kit::{Desk, mistakes};

/// Orders and payments, as two files with other columns.
fn shop() -> Desk {
    let desk = Desk::with("orders.csv", "id,what,at\n1,tea,5\n2,milk,7\n");
    desk.write("paid.csv", "order,cents,at\n2,120.5,9\n");
    desk
}

const SHOP: &str = "
    [spouts.orders]
    type = 'csv'
    path = '${DIR}/orders.csv'
    fields = ['id: int', 'what', 'at: int']

    [spouts.paid]
    type = 'csv'
    path = '${DIR}/paid.csv'
    fields = ['order: int', 'cents: float', 'at: int']
";

#[test]
fn a_sink_of_one_shape_has_the_fields_of_all() {
    let desk = shop();
    desk.run(&format!(
        "{SHOP}
        [bolts.all]
        type = 'csv-file'
        reads = ['orders', 'paid']
        path = '${{DIR}}/all.csv'"
    ));
    let text = desk.read("all.csv");
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.remove(0), "id,what,at,order,cents");
    lines.sort_unstable();
    assert_eq!(lines, [",,9,2,120.5", "1,tea,5,,", "2,milk,7,,"]);
}

#[test]
fn an_edge_names_the_fields_it_reads_and_says_where_they_come_from() {
    let flow = format!(
        "{SHOP}
        [bolts.out]
        type = 'count'
        by = ['id', 'kind']
        emit = 'end'
        tasks = 2
        reads = [
            {{ from = 'orders', fields = [\"kind = 'order'\", 'id'], by = 'id' }},
            {{ from = 'paid', fields = ['id = order', \"kind = 'paid'\"], by = 'id' }},
            {{ from = 'paid', fields = ['id = order', \"kind = 'again'\"], by = 'id' }},
        ]"
    );
    let row = |id: u8, kind: &str| format!("{{\"id\":{id},\"kind\":\"{kind}\",\"count\":1}}");
    let expected = [row(1, "order"), row(2, "again"), row(2, "order"), row(2, "paid")];
    let desk = shop();
    assert_eq!(desk.rows(&flow), expected);
    let plan = desk.flow(&flow).expect("no mistakes").plan().expect("sound").to_string();
    for name in ["out/from-orders", "out/from-paid", "out/from-paid-2"] {
        assert!(plan.contains(&format!("bolt  {name} x1 -> Row(")), "{plan}");
    }
}

#[test]
fn rows_are_left_alone_where_their_shape_does_not_matter() {
    let desk = shop();
    desk.run(&format!(
        "{SHOP}
        [bolts.all]
        type = 'json-file'
        reads = ['orders', {{ from = 'paid', fields = ['order'] }}]
        path = '${{DIR}}/all.jsonl'"
    ));
    let text = desk.read("all.jsonl");
    assert!(text.contains("{\"id\":1,\"what\":\"tea\",\"at\":5}\n"), "{text}");
    assert!(text.contains("{\"order\":2}\n"), "{text}");
}

#[test]
fn what_is_fed_back_may_be_renamed() {
    let desk = Desk::with("in", "abab\n");
    let flow = "
        [spouts.lines]
        type = 'lines'
        path = '${DIR}/in'

        [bolts.rest]
        type = 'filter'
        field = 'line'
        op = '!='
        value = ''
        reads = ['lines', { from = 'cut', fields = ['line = rest'], feedback = true }]

        [bolts.cut]
        type = 'map'
        reads = 'rest'
        field = 'line'
        op = 'after'
        argument = 'b'
        into = 'rest'

        [bolts.out]
        type = 'select'
        reads = 'rest'
        fields = ['line']
    ";
    assert_eq!(desk.rows(flow), [r#"{"line":"ab"}"#, r#"{"line":"abab"}"#]);
    let other = flow.replace("fields = ['line = rest'], ", "");
    let said = desk.flow(&other).expect_err("another shape").to_string();
    assert!(said.contains("`cut` feeds back Row(line: text, rest: text), and the"), "{said}");
}

#[test]
fn a_program_is_told_where_each_tuple_comes_from() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    let desk = shop();
    desk.write(
        "tell.py",
        "import tormenta\n\
         class Tell(tormenta.BasicBolt):\n\
         \x20   def initialize(self, conf, context):\n\
         \x20       self.fields = context['source->stream->fields']\n\
         \x20   def process(self, tup):\n\
         \x20       names = self.fields[tup.component][tup.stream]\n\
         \x20       tormenta.emit([tup.component, ','.join(names), len(tup.values)])\n\
         Tell().run()\n",
    );
    let rows = desk.rows(&format!(
        "{SHOP}
        [bolts.out]
        type = 'shell'
        reads = ['orders', {{ from = 'paid', fields = ['order'] }}]
        command = ['python3', '${{DIR}}/tell.py']
        fields = ['from', 'names', 'n: int']"
    ));
    let orders = r#"{"from":"orders","names":"id,what,at","n":3}"#;
    assert_eq!(rows, [orders, orders, r#"{"from":"paid","names":"order","n":1}"#]);
}

#[test]
fn what_is_named_must_be_in_every_row() {
    let said = |bolt: &str| {
        mistakes(&format!("{SHOP}\n[bolts.b]\nreads = ['orders', 'paid']\n{bolt}"))
            .lines()
            .filter(|line| !line.contains("DIR"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(
        said("type = 'dedup'\nby = 'what'"),
        "f.toml:15:6: rows of `paid` have no field `what`, only (order, cents, at); give one the \
         name: `{ from = \"paid\", fields = [\"what = ..\", ..] }`"
    );
    let lost = said("type = 'dedup'\nby = 'wat'");
    assert!(lost.contains("there is no field `wat`; did you mean `what`?"), "{lost}");
}

#[test]
fn kinds_that_do_not_go_together_are_told() {
    let said = mistakes(
        "spouts.a = { type = 'csv', path = 'x', fields = ['n: int'] }\n\
         spouts.b = { type = 'csv', path = 'x', fields = ['n'] }\n\
         bolts.p = { type = 'csv-file', path = 'y', reads = ['a', 'b'] }",
    );
    assert_eq!(
        said,
        "f.toml:3:58: `n` is int in rows of `a` and text in rows of `b`; rename it: \
         `{ from = \"b\", fields = [\"other = n\", ..] }`"
    );
}

#[test]
fn keys_of_a_join_can_meet() {
    let said = mistakes(
        "spouts.a = { type = 'csv', path = 'x', fields = ['n: int'] }\n\
         spouts.b = { type = 'csv', path = 'x', fields = ['n'] }\n\
         bolts.j = { type = 'join', reads = [{ from = 'a', by = 'n', side = 'left' },\n\
         { from = 'b', by = 'n', side = 'right' }] }",
    );
    assert!(said.starts_with("f.toml:4:20: `n` is int on the left and `n` is text on"), "{said}");
}
