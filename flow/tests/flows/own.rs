//! Components of a program's own.

use tormenta::{
    Bolt, Emitter, Error, Result, Spout,
    record::{Interned, Value},
};
use tormenta_flow::{ComponentDoc, Mistakes, Need, ParamDoc, Registry, Role, Row, Setup};

use crate::kit::Desk;

const fn param(name: &'static str, need: Need, example: &'static str) -> ParamDoc {
    ParamDoc { name, about: "A parameter.", kind: "a value", need, example }
}

const STEPS: ComponentDoc = ComponentDoc {
    name: "steps",
    role: Role::Spout,
    about: "Numbers with steps between.",
    emits: "n: int",
    params: &[param("by", Need::Default("2"), "3"), param("to", Need::Required, "7")],
};

#[derive(Clone)]
struct Steps {
    next: i64,
    by: i64,
    to: i64,
    schema: Interned,
}

impl Spout for Steps {
    type Output = Row;
    type Id = ();

    async fn next(&mut self) -> Result<Option<(Row, ())>> {
        let n = self.next;
        self.next += self.by;
        let row = Row::of(self.schema, vec![n.into()])?;
        Ok((n <= self.to).then_some((row, ())))
    }
}

const SCALE: ComponentDoc = ComponentDoc {
    name: "scale",
    role: Role::Bolt,
    about: "A multiple of a number.",
    emits: "the rows as they came, with scaled: float",
    params: &[
        param("field", Need::Required, "\"n\""),
        param("factor", Need::Optional, "0.5"),
        param("pause", Need::Default("\"1ms\""), "\"1s\""),
    ],
};

#[derive(Clone)]
struct Scale {
    at: usize,
    factor: f64,
    schema: Interned,
}

impl Bolt for Scale {
    type Input = Row;
    type Output = Row;

    async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
        let scaled = row.at(self.at).as_float().map(|number| number * self.factor);
        let mut values = row.into_values();
        values.push(Value::from(scaled));
        out.emit(Row::of(self.schema, values)?).await
    }
}

fn registry() -> Registry {
    let steps = |setup: &mut Setup<'_>| {
        setup.add("n: int")?;
        let (by, to) = (setup.param("by")?, setup.param("to")?);
        Ok(Steps { next: 0, by, to, schema: setup.schema() })
    };
    let scale = |setup: &mut Setup<'_>| {
        let (at, factor) = (setup.field("field")?, setup.param::<Option<f64>>("factor")?);
        if setup.duration("pause")?.is_zero() {
            return Err(Error::msg("it never rests; make `pause` 1 ms or longer"));
        }
        setup.keep().add("scaled: float")?;
        Ok(Scale { at, factor: factor.unwrap_or(1.0), schema: setup.schema() })
    };
    Registry::standard().with_spout(&STEPS, steps).with_bolt(&SCALE, scale)
}

fn flow(text: &str) -> Result<tormenta_flow::Flow, Mistakes> {
    registry().flow("f.toml", text, |name| (name == "BY").then(|| "3".to_owned()))
}

#[test]
fn they_run_as_the_others_do() {
    let desk = Desk::new();
    let text = format!(
        "spouts.n = {{ type = 'steps', by = '${{BY}}', to = 7 }}\n\
         bolts.s = {{ type = 'scale', reads = 'n', field = 'n', factor = 0.5 }}\n\
         bolts.f = {{ type = 'csv-file', reads = 's', path = '{}' }}",
        desk.path("out.csv")
    );
    let flow = flow(&text).expect("no mistakes");
    let plan = flow.plan().expect("sound").to_string();
    assert!(plan.contains("bolt  s x1 -> Row(n: int, scaled: float)"), "{plan}");
    desk.run_flow(&flow);
    assert_eq!(desk.read("out.csv"), "n,scaled\n0,0\n3,1.5\n6,3\n");
}

#[test]
fn their_mistakes_have_a_place_too() {
    let said = |text: &str| flow(text).expect_err(text).to_string();
    let steps = "spouts.n = { type = 'steps', to = 7 }\n";
    let bolt = |params: &str| {
        said(&format!("{steps}bolts.s = {{ type = 'scale', reads = 'n', {params} }}"))
    };
    assert_eq!(
        said("spouts.n = { type = 'steps' }"),
        "f.toml:1:8: `n` has no `to`; add it: `to = 7`"
    );
    let wrong = said("spouts.n = { type = 'steps', to = 'x' }");
    assert!(wrong.starts_with("f.toml:1:35: `to` of `n`: expected i64, found string"), "{wrong}");
    assert!(wrong.ends_with("write a value, such as `to = 7`"), "{wrong}");
    assert!(
        bolt("field = 'm'").starts_with("f.toml:2:50: there is no field `m`; did you mean `n`?")
    );
    assert!(
        bolt("field = 'n', fcator = 2").contains("no parameter `fcator`; did you mean `factor`?")
    );
    assert!(bolt("field = 'n', pause = '1'").contains("2:63: `pause` of `s`: `1` is no duration"));
    assert!(bolt("field = 'n', pause = '0s'").contains("f.toml:2:7: `s`: it never rests; make"));
    assert!(said("spouts.n = { type = 'stpes', to = 7 }").contains("did you mean `steps`?"));
}

#[test]
fn one_of_the_same_name_takes_the_place_of_ours() {
    const COUNT: ComponentDoc =
        ComponentDoc { name: "count", params: &[], about: "Keeps rows.", ..SCALE };
    let registry = registry().with_bolt(&COUNT, |setup| {
        setup.keep().add("scaled: float")?;
        Ok(Scale { at: 0, factor: 1.0, schema: setup.schema() })
    });
    let text = "spouts.n = { type = 'steps', to = 7 }\nbolts.c = { type = 'count', reads = 'n' }";
    let flow = registry.flow("f.toml", text, |_| None).expect("no mistakes");
    assert!(flow.plan().expect("sound").to_string().contains("Row(n: int, scaled: float)"));
    assert_eq!(registry.components().filter(|doc| doc.name == "count").count(), 1);
}
