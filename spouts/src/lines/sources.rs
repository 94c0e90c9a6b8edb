//! From what the user named to the list of files.
//!
//! ```text
//!   -           standard input
//!   file        itself
//!   directory   every file below it that is not hidden, sorted
//!   pattern     every file that it matches, sorted: `logs/*.gz`, `logs/**/*.log`
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use glob::MatchOptions;
use tormenta_dsl::{Error, Result};

/// What looking for one thing comes to: a mistake in words, so that all can be told at once.
type Step = std::result::Result<(), String>;

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file with this many bytes.
    File(PathBuf, u64),
    /// A pipe or a device: it has no size, and a read may wait for ever.
    Pipe(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path, _) | Self::Pipe(path) => path,
            Self::Stdin => Path::new("-"),
        }
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::File(_, bytes) => Some(*bytes),
            Self::Pipe(_) | Self::Stdin => None,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path, _) | Self::Pipe(path) => write!(f, "`{}`", path.display()),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// Finds everything that `named` stands for, in the order in which it was named.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn find(named: &[PathBuf]) -> Result<Vec<Source>> {
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    if named.is_empty() {
        mistakes.push("no input is named; name a file, a directory or `-`".to_owned());
    }
    for path in named {
        if let Err(mistake) = find_one(path, &mut found) {
            mistakes.push(mistake);
        }
    }
    let stdin = found.iter().filter(|source| **source == Source::Stdin);
    if stdin.count() > 1 {
        mistakes.push("`-` is named twice, and standard input can be read only once".to_owned());
    }
    if mistakes.is_empty() {
        return Ok(found);
    }
    let mistakes = mistakes.join("; ");
    if named.iter().any(|path| is_lost(path)) {
        // Programs are to see as well that something does not exist.
        return Err(io::Error::new(io::ErrorKind::NotFound, mistakes).into());
    }
    Err(Error::msg(mistakes))
}

fn is_lost(path: &Path) -> bool {
    path != Path::new("-") && matches!(path.try_exists(), Ok(false))
}

fn find_one(path: &Path, found: &mut Vec<Source>) -> Step {
    if path == Path::new("-") {
        found.push(Source::Stdin);
        return Ok(());
    }
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => find_below(path, found),
        Ok(about) => {
            found.push(source(path.to_owned(), &about));
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => match pattern(path) {
            Some(pattern) => find_matches(pattern, found),
            None => Err(missing(path)),
        },
        Err(error) => Err(cannot_read(path, &error)),
    }
}

fn source(path: PathBuf, about: &fs::Metadata) -> Source {
    if about.is_file() { Source::File(path, about.len()) } else { Source::Pipe(path) }
}

fn missing(path: &Path) -> String {
    let mut text = format!("`{}` does not exist", path.display());
    if fs::symlink_metadata(path).is_ok() {
        text = format!("`{}` is a link to nothing", path.display());
    }
    // A name alone says nothing about where it was looked for.
    if path.is_relative()
        && let Ok(here) = std::env::current_dir()
    {
        text.push_str(&format!(" in `{}`", here.display()));
    }
    text + "; check the name"
}

/// Adds all files below a directory, sorted.
fn find_below(directory: &Path, found: &mut Vec<Source>) -> Step {
    let mut below = Vec::new();
    walk(directory, &mut Vec::new(), &mut below)?;
    if below.is_empty() {
        let directory = directory.display();
        return Err(format!(
            "the directory `{directory}` has no file to read; hidden ones are read only if named"
        ));
    }
    below.sort_unstable_by(|a, b| a.path().cmp(b.path()));
    found.append(&mut below);
    Ok(())
}

/// `above` are the true names of the directories that the walk is in, to notice a link that leads
/// back up.
fn walk(path: &Path, above: &mut Vec<PathBuf>, found: &mut Vec<Source>) -> Step {
    let cannot = |error| cannot_read(path, &error);
    let directory = fs::canonicalize(path).map_err(cannot)?;
    if above.contains(&directory) {
        let path = path.display();
        return Err(format!(
            "`{path}` leads back to a directory above it; remove the link or name the files"
        ));
    }
    above.push(directory);
    for entry in fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // Not `entry.metadata()`, which does not follow links.
        let about = fs::metadata(&path).map_err(|error| cannot_read(&path, &error))?;
        if about.is_dir() {
            walk(&path, above, found)?;
        } else if about.is_file() {
            found.push(source(path, &about));
        }
    }
    above.pop();
    Ok(())
}

pub(super) fn cannot_read(path: &Path, error: &io::Error) -> String {
    let fix = match error.kind() {
        io::ErrorKind::PermissionDenied => "; give this user the right to read it",
        _ => "",
    };
    format!("`{}` cannot be read: {error}{fix}", path.display())
}

/// The path as a pattern, if it is one.
fn pattern(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.contains(['*', '?', '[']))
}

/// Adds all files that a pattern matches, sorted. Directories that it matches are not entered: of
/// `data/**` that would make every file as many as it is deep.
fn find_matches(pattern: &str, found: &mut Vec<Source>) -> Step {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options)
        .map_err(|error| format!("the pattern `{pattern}` is wrong: {error}"))?;
    let mut matches = Vec::new();
    for path in paths {
        let path = path.map_err(|error| format!("pattern `{pattern}`: {error}"))?;
        let about = fs::metadata(&path).map_err(|error| cannot_read(&path, &error))?;
        if about.is_file() {
            matches.push(source(path, &about));
        }
    }
    if matches.is_empty() {
        return Err(format!(
            "the pattern `{pattern}` matches no file; `**/` reaches into directories, and hidden \
             files must be named"
        ));
    }
    matches.sort_unstable_by(|a, b| a.path().cmp(b.path()));
    found.append(&mut matches);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these files, each of one byte.
    fn directory(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, b"x").expect("written");
        }
        directory
    }

    fn names(base: &Path, sources: &[Source]) -> Vec<String> {
        let name = |source: &Source| {
            let path = source.path().strip_prefix(base).expect("below the directory");
            path.display().to_string()
        };
        sources.iter().map(name).collect()
    }

    fn refusal(named: &[PathBuf]) -> String {
        find(named).expect_err("refused").to_string()
    }

    #[test]
    fn a_directory_is_all_its_files_sorted_without_hidden_ones() {
        let dir = directory(&["b.txt", "a/z", "a/b/c", ".hidden", ".git/config", "a.txt"]);
        let found = find(&[dir.path().to_owned()]).expect("found");
        assert_eq!(names(dir.path(), &found), ["a/b/c", "a/z", "a.txt", "b.txt"]);
        assert_eq!(found[0].bytes(), Some(1));
    }

    #[test]
    fn a_pattern_matches_files_and_enters_directories_only_if_told() {
        let dir = directory(&["2.log", "1.log", "x.txt", "sub/3.log", ".4.log"]);
        let flat = find(&[dir.path().join("*.log")]).expect("found");
        assert_eq!(names(dir.path(), &flat), ["1.log", "2.log"]);
        let deep = find(&[dir.path().join("**/*.log")]).expect("found");
        assert_eq!(names(dir.path(), &deep), ["1.log", "2.log", "sub/3.log"]);
    }

    #[test]
    fn the_order_is_the_one_in_which_things_are_named() {
        let dir = directory(&["a", "b", "c/1"]);
        let named = ["c", "b", "a"].map(|name| dir.path().join(name));
        assert_eq!(names(dir.path(), &find(&named).expect("found")), ["c/1", "b", "a"]);
    }

    #[test]
    fn a_file_whose_name_looks_like_a_pattern_is_a_file() {
        let dir = directory(&["[1].txt", "1.txt"]);
        let found = find(&[dir.path().join("[1].txt")]).expect("found");
        assert_eq!(names(dir.path(), &found), ["[1].txt"]);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let dir = directory(&[".hidden"]);
        let (lost, none) = (dir.path().join("lost.txt"), dir.path().join("*.log"));
        let text = refusal(&[lost.clone(), dir.path().to_owned(), none.clone()]);
        assert!(text.contains(&format!("`{}` does not exist", lost.display())), "{text}");
        assert!(text.contains("has no file to read; hidden ones"), "{text}");
        assert!(text.contains(&format!("`{}` matches no file", none.display())), "{text}");
    }

    #[test]
    fn a_relative_name_says_where_it_was_looked_for() {
        let here = std::env::current_dir().expect("somewhere");
        let text = refusal(&["lost.txt".into()]);
        let expected = format!("`lost.txt` does not exist in `{}`; check the name", here.display());
        assert_eq!(text, expected);
    }

    #[test]
    fn standard_input_is_read_once() {
        assert_eq!(find(&["-".into()]).expect("found"), [Source::Stdin]);
        assert!(refusal(&["-".into(), "-".into()]).contains("named twice"));
        assert!(refusal(&[]).contains("no input is named"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        let dir = directory(&["a/file"]);
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, dir.path().join(name)).expect("linked");
        };
        link(&dir.path().join("a"), "b");
        let found = find(&[dir.path().to_owned()]).expect("found");
        assert_eq!(names(dir.path(), &found), ["a/file", "b/file"]);
        link(dir.path(), "a/back");
        assert!(refusal(&[dir.path().to_owned()]).contains("leads back to a directory above it"));
        link(&dir.path().join("lost"), "dead");
        assert!(refusal(&[dir.path().join("dead")]).contains("is a link to nothing"));
    }
}
