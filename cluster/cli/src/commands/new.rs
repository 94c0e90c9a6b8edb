//! `tormenta new`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    exit::{self, Code, Failure, Outcome},
    output::Output,
};

const MAIN: &str = include_str!("../../templates/new/main.rs");
const README: &str = include_str!("../../templates/new/README.md");

/// Names that cargo refuses, or that would hide something that the project needs.
const RESERVED: [&str; 9] =
    ["alloc", "bytes", "core", "proc_macro", "proc-macro", "serde", "std", "test", "tormenta"];

/// Words of the language, which are no names of crates.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else \
                        enum extern false final fn for gen if impl in let loop macro match mod \
                        move mut override priv pub ref return self static struct super trait true \
                        try type typeof unsafe unsized use virtual where while yield";

/// Write a project: a topology that counts words, to be changed into yours
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta new hello && cd hello && cargo run",
    "tormenta new ~/src/fraud",
]))]
pub(crate) struct New {
    /// The project, and the directory that is made for it
    name: PathBuf,
}

impl New {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        let directory = &self.name;
        let name = checked_name(directory)?;
        refuse_if_full(directory)?;
        for (path, text) in files(name, directory) {
            write(&directory.join(path), &text)?;
        }
        let shown = directory.display();
        output.talk(format_args!("created `{shown}`; next: cd {shown} && cargo run"));
        Ok(Code::Ok)
    }
}

/// The last part of the path, if it can be the name of a crate.
fn checked_name(directory: &Path) -> Outcome<&str> {
    let usage = |why: &str| {
        let name = directory.display();
        Err(Failure::new(Code::Usage, format!("`{name}` is no good name for a project: {why}")))
    };
    let Some(name) = directory.file_name().and_then(|name| name.to_str()) else {
        return usage("it has no last part in UTF-8; try `hello`");
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.chars().all(is_allowed) {
        return usage("use letters of ASCII, digits, `-` and `_`, such as `hello-world`");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return usage("begin with a letter, such as `hello`");
    }
    if name.len() > 64 {
        return usage("use at most 64 bytes");
    }
    if RESERVED.contains(&name) || KEYWORDS.split(' ').any(|keyword| keyword == name) {
        return usage(&format!("it means something to Rust or cargo; try `my-{name}`"));
    }
    Ok(name)
}

fn refuse_if_full(directory: &Path) -> Outcome<()> {
    let shown = directory.display();
    let conflict = |why: &str| Err(Failure::new(Code::Conflict, format!("`{shown}` {why}")));
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => conflict("exists and is not empty; choose another name, or remove it"),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            conflict("exists and is no directory; choose another name")
        }
        Err(error) => Err(Failure::io(format!("look into `{shown}`"), &error)),
    }
}

/// What the project consists of.
fn files(name: &str, directory: &Path) -> Vec<(&'static str, String)> {
    let checkout = checkout();
    let mut files = vec![
        ("Cargo.toml", cargo_toml(name, directory, checkout.as_deref())),
        ("src/main.rs", MAIN.to_owned()),
        ("README.md", README.replace("NAME", name)),
        (".gitignore", "/target\n".to_owned()),
    ];
    // The versions that the checkout was tested with, which are at hand besides.
    let lock = checkout.and_then(|root| fs::read_to_string(root.join("Cargo.lock")).ok());
    files.extend(lock.map(|lock| ("Cargo.lock", lock)));
    files
}

fn cargo_toml(name: &str, directory: &Path, checkout: Option<&Path>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let tormenta = match checkout {
        Some(root) => format!("{{ path = {:?} }}", root.display().to_string()),
        None => format!("{version:?}"),
    };
    let mut text = format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n\
         # For the derives of tuples: #[derive(Tuple, Clone, Serialize, Deserialize)].\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\ntormenta = {tormenta}\n\n\
         # An engine that is not optimised at all is many times slower. Of what debuggers want,\n\
         # the lines are enough for a backtrace, and all of it would take long to build.\n\
         [profile.dev]\nopt-level = 1\ndebug = \"line-tables-only\"\n"
    );
    let is_within = |root: &Path| {
        let parent = directory.parent().filter(|parent| *parent != Path::new(""));
        let parent = fs::canonicalize(parent.unwrap_or(Path::new("."))).unwrap_or_default();
        parent.starts_with(root)
    };
    if checkout.is_some_and(is_within) {
        text += "\n# Not a member of the workspace that it stands in.\n[workspace]\n";
    }
    text
}

/// The checkout that this executable was built from, if it is still there.
fn checkout() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let is_ours =
        root.join("topology-dsl/Cargo.toml").is_file() && root.join("src/lib.rs").is_file();
    is_ours.then(|| fs::canonicalize(root).ok()).flatten()
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    let failed = |error| Failure::io(format!("write `{}`", path.display()), &error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str) -> Code {
        checked_name(Path::new(name)).map_or_else(|failure| failure.code, |_| Code::Ok)
    }

    #[test]
    fn names_are_names_of_crates() {
        for name in ["hello", "a/b/hello-world", "x9_", "../Hello"] {
            assert_eq!(code(name), Code::Ok, "{name}");
        }
        for name in ["", "..", "9x", "-x", "_x", "h\u{e9}llo", "a b", "fn", "test", "tormenta"] {
            assert_eq!(code(name), Code::Usage, "{name}");
        }
    }

    #[test]
    fn without_a_checkout_the_version_is_used() {
        let text = cargo_toml("hello", Path::new("hello"), None);
        assert!(
            text.contains(concat!("tormenta = \"", env!("CARGO_PKG_VERSION"), "\"\n")),
            "{text}"
        );
        let text = cargo_toml("hello", Path::new("/x/hello"), Some(Path::new("/y")));
        assert!(text.contains("tormenta = { path = \"/y\" }\n") && !text.contains("[workspace]"));
        assert!(text.contains("serde = {"), "tuples of one's own need it");
    }
}
