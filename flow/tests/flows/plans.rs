//! Plans, and what the registry says about itself.

use tormenta_flow::{Flow, Need, Role, components, settings};

use crate::kit::Desk;

#[test]
fn a_plan_knows_fields_and_types() {
    let flow = Desk::new()
        .flow(
            "name = 'words'\n\
             spouts.lines = { type = 'lines', path = 'lost' }\n\
             bolts.split = { type = 'split', reads = 'lines' }\n\
             bolts.count = { type = 'count', reads = { from = 'split', by = 'word' }, by = 'word', \
             tasks = 2 }",
        )
        .expect("no mistakes");
    let plan = flow.plan().expect("sound");
    assert_eq!(
        plan.to_string(),
        "topology words\n\
         |- spout lines x1 -> Row(line: text)\n\
         |- bolt  split x1 -> Row(word: text)\n\
         |     <- lines (shuffle)\n\
         `- bolt  count x2 -> Row(word: text, count: int)\n      <- split (by)\n"
    );
    assert_eq!(plan.to_json()["components"][2]["type_name"], "count");
}

#[test]
fn components_may_be_declared_in_any_order() {
    let text = "bolts.p = { type = 'print', reads = 's' }\n\
                bolts.s = { type = 'split', reads = 'l' }\n\
                spouts.l = { type = 'lines', path = 'x' }";
    let plan = Flow::parse("x.toml", text, |_| None).expect("no mistakes").plan().expect("sound");
    assert_eq!(plan.components.len(), 3);
}

/// A flow in which this component has these parameters. What it reads has the fields that examples
/// name.
fn flow_of(name: &str, role: Role, params: &[(&str, &str)]) -> String {
    let mut text = "
        [spouts.rows]
        type = \"csv\"
        path = \"x\"
        fields = [\"line\", \"url\", \"word\", \"id\", \"user\", \"body\", \"status: int\",
            \"time: int\",
            \"bytes: int\", \"size: int\", \"ms: int\", \"rank: int\", \"count: int\", \"at: int\"]
    "
    .to_owned();
    text += &format!("\n[{}.it]\ntype = \"{name}\"\n", role.table());
    if role == Role::Bolt && name == "join" {
        text += "reads = [{ from = \"rows\", by = \"id\", side = \"left\" }, \
                 { from = \"rows\", by = \"id\", side = \"right\" }]\n";
    } else if role == Role::Bolt {
        text += "reads = \"rows\"\n";
    }
    for (name, value) in params {
        text += &format!("{name} = {value}\n");
    }
    text
}

/// What else a component needs when only its required parameters are given.
fn besides(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "split" | "parse-fields" => &[("field", "\"line\"")],
        "parse-json" => &[("field", "\"body\"")],
        "filter" => &[("value", "500")],
        "sample" => &[("every", "2")],
        "window" => &[("rows", "100")],
        _ => &[],
    }
}

#[test]
fn what_the_registry_says_holds() {
    for doc in components() {
        let required: Vec<(&str, &str)> = doc
            .params
            .iter()
            .filter(|param| param.need == Need::Required)
            .map(|param| (param.name, param.example))
            .chain(besides(doc.name).iter().copied())
            .collect();
        let text = flow_of(doc.name, doc.role, &required);
        let flow = Flow::parse("x.toml", &text, |_| None);
        let flow = flow.unwrap_or_else(|mistakes| panic!("{}: {mistakes}\n{text}", doc.name));
        flow.plan().unwrap_or_else(|errors| panic!("{}: {errors}", doc.name));
        assert!(doc.about.trim_end().ends_with('.'), "{}", doc.name);
        for param in doc.params.iter().chain(settings().iter().flat_map(|doc| doc.params)) {
            let about = param.about.trim();
            assert!(about.ends_with('.') && !param.kind.is_empty(), "{}", param.name);
        }
    }
}

/// Every example and every default is read without a complaint about itself.
#[test]
fn examples_and_defaults_are_of_their_kind() {
    for doc in components() {
        for param in doc.params {
            let default = match param.need {
                Need::Default(value) => Some(value),
                Need::Required | Need::Optional => None,
            };
            for value in [Some(param.example), default].into_iter().flatten() {
                let params: Vec<(&str, &str)> = [(param.name, value)]
                    .into_iter()
                    .chain(
                        doc.params
                            .iter()
                            .filter(|other| {
                                other.need == Need::Required && other.name != param.name
                            })
                            .map(|other| (other.name, other.example)),
                    )
                    .collect();
                let text = flow_of(doc.name, doc.role, &params);
                let Err(mistakes) = Flow::parse("x.toml", &text, |_| None) else { continue };
                let line = text.lines().position(|l| l.starts_with(&format!("{} = ", param.name)));
                let blamed = mistakes.mistakes.iter().find(|m| Some(m.line - 1) == line);
                let own = format!("`{}` of", param.name);
                let is_fine = blamed.is_none_or(|mistake| !mistake.message.starts_with(&own));
                assert!(is_fine, "{} {}: {mistakes}", doc.name, param.name);
            }
        }
    }
}

#[test]
fn the_examples_of_the_house_are_sound() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flows");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let flow = Flow::parse(&path.display().to_string(), &text, |_| None);
        flow.unwrap_or_else(|mistakes| panic!("{mistakes}")).plan().expect("sound");
        found += 1;
    }
    assert!(found >= 3, "{found} flows");
}
