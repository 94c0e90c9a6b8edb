//! `tormenta version`.

use serde_json::json;

use crate::{
    exit::{self, Code, Outcome},
    output::Output,
};

/// Print the version
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&["tormenta version", "tormenta version -o json"]))]
pub(crate) struct Version {}

impl Version {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        let version = env!("CARGO_PKG_VERSION");
        if output.is_table() {
            output.data(format!("tormenta {version}\n").as_bytes())?;
        } else {
            output.json(&json!({ "name": "tormenta", "version": version }))?;
        }
        Ok(Code::Ok)
    }
}
