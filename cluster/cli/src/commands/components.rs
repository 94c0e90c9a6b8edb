//! `tormenta components`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tormenta_flow::{ComponentDoc, Need, ParamDoc, Role, components, reads, settings};

use crate::{
    args::Format,
    exit::{self, Code, Failure, Outcome},
    output::Output,
};

/// List what a declared topology can be made of: spouts, bolts and their parameters
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta components",
    "tormenta components tail",
    "tormenta components -o ndjson | jq -r .name",
]))]
pub(crate) struct Components {
    /// A component, or `settings` for what all of them have; all in brief unless given
    name: Option<String>,
}

impl Components {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        let Some(name) = &self.name else { return list(output) };
        if name == "settings" {
            return show_settings(output);
        }
        // A spout and a bolt may have one name.
        let found: Vec<&ComponentDoc> = components().filter(|doc| doc.name == name).collect();
        if found.is_empty() {
            let mut names: Vec<&str> = components().map(|doc| doc.name).collect();
            names.sort_unstable();
            names.dedup();
            let mend = tormenta_flow::suggest(name, names);
            let why = format!("there is no component `{name}`; {mend}");
            return Err(Failure::new(Code::NotFound, why));
        }
        if output.is_table() {
            let pages: Vec<String> = found.into_iter().map(page).collect();
            output.data(pages.join("\n").as_bytes())?;
        } else if let [doc] = found[..] {
            output.json(&as_json(doc))?;
        } else {
            output.json(&found.into_iter().map(as_json).collect::<Vec<_>>())?;
        }
        Ok(Code::Ok)
    }
}

fn list(output: &Output) -> Outcome {
    match output.format() {
        Format::Table => output.data(table().as_bytes())?,
        Format::Json => output.json(&components().map(as_json).collect::<Vec<_>>())?,
        Format::Ndjson => components().try_for_each(|doc| output.json(&as_json(doc)))?,
    }
    Ok(Code::Ok)
}

/// One line each.
fn table() -> String {
    let mut text = String::new();
    for role in [Role::Spout, Role::Bolt] {
        let _ = writeln!(text, "{}", role.table());
        for doc in components().filter(|doc| doc.role == role) {
            let about = one_line(doc.about);
            let brief = about.split_inclusive(". ").next().unwrap_or_default().trim_end();
            let _ = writeln!(text, "  {:13} {}", doc.name, brief.trim_end_matches('.'));
        }
    }
    text.push_str(
        "\n`tormenta components NAME` has the parameters of one, `settings` those of all\n",
    );
    text
}

/// All about one.
fn page(doc: &ComponentDoc) -> String {
    let mut text = format!("{}, a {}\n", doc.name, doc.role.word());
    let emits = wrapped(doc.emits, "       ");
    let _ = writeln!(text, "{}\n\nEmits: {}\n", wrapped(doc.about, ""), emits.trim_start());
    if !doc.params.is_empty() {
        let _ = writeln!(text, "Parameters:");
        doc.params.iter().for_each(|param| describe(param, &mut text));
    }
    let _ = writeln!(text, "Example:");
    text.push_str(&example(doc));
    text
}

fn show_settings(output: &Output) -> Outcome {
    let [spout, bolt, edge] = settings();
    if !output.is_table() {
        let groups = json!({
            "spouts": params(spout), "bolts": params(bolt), "reads": params(edge),
        });
        output.json(&groups)?;
        return Ok(Code::Ok);
    }
    let mut text = String::new();
    for (title, doc) in [("Of every spout:", spout), ("Of every bolt:", bolt)] {
        let _ = writeln!(text, "{title}");
        if doc.role == Role::Bolt {
            describe(&reads(), &mut text);
        }
        doc.params.iter().for_each(|param| describe(param, &mut text));
    }
    let _ = writeln!(text, "In a table of `reads`:");
    edge.params.iter().for_each(|param| describe(param, &mut text));
    output.data(text.as_bytes())?;
    Ok(Code::Ok)
}

fn describe(param: &ParamDoc, text: &mut String) {
    let need = match param.need {
        Need::Required => "required".to_owned(),
        Need::Optional => "optional".to_owned(),
        Need::Default(value) => format!("{value} unless set"),
    };
    let ParamDoc { name, about, kind, example, .. } = param;
    let _ = writeln!(text, "  {name}  ({need})");
    let _ = writeln!(text, "{}", wrapped(about, "      "));
    let _ = writeln!(text, "      {}", wrapped(kind, "      ").trim_start());
    let _ = writeln!(text, "      {name} = {example}\n");
}

/// A table of a flow with all that must be there.
fn example(doc: &ComponentDoc) -> String {
    let name = doc.name.replace('-', "_");
    let mut text = format!("  [{}.{name}]\n  type = \"{}\"\n", doc.role.table(), doc.name);
    if doc.role == Role::Bolt {
        let _ = writeln!(text, "  reads = \"..\"");
    }
    for param in doc.params.iter().filter(|param| param.need == Need::Required) {
        let _ = writeln!(text, "  {} = {}", param.name, param.example);
    }
    text
}

fn as_json(doc: &ComponentDoc) -> Value {
    json!({
        "name": doc.name,
        "role": doc.role,
        "about": one_line(doc.about),
        "emits": doc.emits,
        "params": params(doc),
        "example": example(doc).lines().map(str::trim).collect::<Vec<_>>().join("\n"),
    })
}

fn params(doc: &ComponentDoc) -> Vec<Value> {
    let param = |param: &ParamDoc| {
        let default = match param.need {
            Need::Default(value) => Some(value),
            Need::Required | Need::Optional => None,
        };
        json!({
            "name": param.name,
            "about": one_line(param.about),
            "kind": param.kind,
            "required": param.need == Need::Required,
            "default": default,
            "example": param.example,
        })
    };
    doc.params.iter().map(param).collect()
}

/// The text of a doc comment on one line.
fn one_line(about: &str) -> String {
    about.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same, broken at 78 columns.
fn wrapped(about: &str, indent: &str) -> String {
    const COLUMNS: usize = 78;
    let (mut text, mut column) = (indent.to_owned(), indent.len());
    for word in about.split_whitespace() {
        let letters = word.chars().count();
        if column > indent.len() && column + 1 + letters > COLUMNS {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if column > indent.len() {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += letters;
    }
    text
}
