//! `tormenta run` with a topology that is declared in TOML.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;
use tormenta::{
    DeadLetterFile, Options,
    artifact::{self, Said},
};
use tormenta_flow::{Flow, Mistakes};

use crate::{
    exit::{Code, Failure, Outcome},
    output::Output,
};

/// Whether this names a flow, and no artifact.
pub(super) fn is_flow(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

/// Checks a flow and runs it, or prints its plan where nothing is to be said at an end.
pub(super) fn run(
    path: &Path,
    said: Option<Said>,
    dead_letters: Option<PathBuf>,
    output: &Output,
) -> Outcome {
    let flow = match parse(path)? {
        Ok(flow) => flow,
        Err(mistakes) => return refuse(&mistakes, said.is_none(), output),
    };
    let name = path.display();
    let plan = flow.plan().map_err(|errors| Failure::failed(format!("`{name}`: {errors}")))?;
    let Some(said) = said else {
        match output.is_table() {
            true => output.data(plan.to_string().as_bytes())?,
            false => output.json(&plan.to_json())?,
        }
        return Ok(Code::Ok);
    };
    let mut options = Options::default();
    let letters = dead_letters.map(DeadLetterFile::open).transpose();
    options.dead_letters = letters.map_err(Failure::of)?;
    Ok(match artifact::carry_out(flow.name(), flow.topology(), said, options) {
        0 => Code::Ok,
        2 => Code::Usage,
        3 => Code::NotFound,
        130 => Code::Interrupted,
        _ => Code::Failed,
    })
}

/// Says all mistakes, a line each, so that editors find their places.
fn refuse(mistakes: &Mistakes, checks_only: bool, output: &Output) -> Outcome {
    if checks_only && !output.is_table() {
        output.json(&json!({ "path": mistakes.path, "mistakes": mistakes.mistakes }))?;
    }
    let count = match mistakes.mistakes.len() {
        1 => "a mistake".to_owned(),
        n => format!("{n} mistakes"),
    };
    let why = format!("`{}` has {count}, and was not run\n{mistakes}", mistakes.path);
    Err(Failure::failed(why))
}

fn parse(path: &Path) -> Outcome<Result<Flow, Mistakes>> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let why = format!("`{name}` does not exist; check the path");
            Failure::new(Code::NotFound, why)
        }
        io::ErrorKind::IsADirectory => {
            Failure::failed(format!("`{name}` is a directory; name a file"))
        }
        _ => Failure::io(format!("read `{name}`"), &error),
    })?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(Failure::failed(format!(
            "`{name}` is no UTF-8, and so no TOML; save it as UTF-8"
        )));
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(Flow::parse(&name.to_string(), text, |variable| std::env::var(variable).ok()))
}
