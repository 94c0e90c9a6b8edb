//! The words of the command line that are for the topology.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fmt::Display,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    vec,
};

use tormenta_dsl::{Error, Result};

use super::command::OPTIONS;

/// The words that a topology is given: those after `--`, or from the first one on that the
/// artifact does not know itself.
///
/// ```
/// use tormenta_runtime::artifact::Args;
///
/// let args = Args::from(["book.txt", "--tasks", "4", "--top=20"]);
/// assert_eq!(args.path(0), Some("book.txt".into()));
/// assert_eq!(args.value("--tasks")?, Some(4));
/// assert_eq!(args.value("--top")?.unwrap_or(10), 20);
/// assert!(!args.flag("--quiet"));
/// # Ok::<(), tormenta_dsl::Error>(())
/// ```
///
/// For more than that give them to a parser, such as `clap` with `no_binary_name`:
/// `let cli = Cli::parse_from(args);`
///
/// A word that nobody has asked for when the topology is defined is refused, so that a slip in the
/// name of an option does not pass in silence.
#[derive(Debug, Clone, Default)]
pub struct Args {
    words: Vec<OsString>,
    /// Which of them were asked for, by any copy of this.
    read: Arc<Mutex<BTreeSet<usize>>>,
}

impl Args {
    pub(crate) fn new(words: Vec<OsString>) -> Self {
        Self { words, read: Arc::default() }
    }

    /// Number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn word(&self, index: usize) -> Option<&OsString> {
        let word = self.words.get(index)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
        Some(word)
    }

    /// Refuses words that nobody asked for.
    pub(crate) fn check_all_read(&self) -> Result {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = self.words.iter().enumerate();
        match words.find(|(index, _)| !read.contains(index)) {
            None => Ok(()),
            Some((_, word)) => {
                let word = word.to_string_lossy();
                let name = word.split('=').next().unwrap_or_default();
                let mend = match OPTIONS.contains(&name) {
                    true => {
                        "it is an option of the engine, so put it before the first word and `--`"
                    }
                    false => "check the spelling",
                };
                Err(usage(format!("`{word}` means nothing to this topology; {mend}")))
            }
        }
    }

    /// The word at this position, from zero, if there is one.
    ///
    /// # Errors
    /// When it is not what is wanted. The artifact says so and exits with 2.
    pub fn get<T: FromStr<Err: Display>>(&self, index: usize) -> Result<Option<T>> {
        let word = self.word(index);
        word.map(|word| parse(word, &format!("word {}", index + 1))).transpose()
    }

    /// The word at this position as a path, whether it is UTF-8 or not.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<PathBuf> {
        self.word(index).map(PathBuf::from)
    }

    /// The value of an option, given as `--name value` or `--name=value`. The name that is asked
    /// for begins with its dashes.
    ///
    /// # Errors
    /// When the value is missing or not what is wanted. The artifact says so and exits with 2.
    ///
    /// # Panics
    /// If the name does not begin with `-`: the option could never be given.
    pub fn value<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>> {
        assert!(name.starts_with('-'), "an option begins with dashes: `--{name}`");
        for (index, word) in self.words.iter().enumerate() {
            if word == name {
                let value = self.word(index).and(self.word(index + 1));
                let missing = || usage(format!("`{name}` needs a value"));
                return parse(value.ok_or_else(missing)?, &format!("`{name}`")).map(Some);
            }
            let value = word.to_str().and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
            if let Some(value) = value {
                self.word(index);
                return parse(OsStr::new(value), &format!("`{name}`")).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether this very word is given.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        let mut given = false;
        for index in (0..self.words.len()).filter(|index| self.words[*index] == name) {
            self.word(index);
            given = true;
        }
        given
    }
}

fn parse<T: FromStr<Err: Display>>(word: &OsStr, what: &str) -> Result<T> {
    let Some(text) = word.to_str() else {
        return Err(usage(format!("{what} is {word:?}, which is no UTF-8")));
    };
    text.parse().map_err(|why| usage(format!("{what} is `{text}`: {why}")))
}

fn usage(mistake: String) -> Error {
    Error::from(Usage(mistake))
}

impl<W: Into<OsString>, const N: usize> From<[W; N]> for Args {
    fn from(words: [W; N]) -> Self {
        Self::new(words.into_iter().map(Into::into).collect())
    }
}

impl IntoIterator for Args {
    type Item = OsString;
    type IntoIter = vec::IntoIter<OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).extend(0..self.words.len());
        self.words.into_iter()
    }
}

impl PartialEq for Args {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Args {}

/// A mistake in the words that a topology was given. An artifact that is defined with this error
/// exits with 2 instead of 1.
///
/// ```
/// use tormenta_runtime::artifact::{Args, Usage};
///
/// fn check(args: &Args) -> tormenta_dsl::Result {
///     if args.is_empty() {
///         return Err(Usage("name a file to read".into()).into());
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage(pub String);

impl Usage {
    /// Whether this is why something failed.
    pub(crate) fn is_in(error: &Error) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error.source());
        while let Some(cause) = next {
            if cause.is::<Self>() {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_word_and_are_usage() {
        let args = Args::from(["x", "--tasks", "many", "--top"]);
        let mistakes = [
            (args.get::<u64>(0), "word 1 is `x`: invalid digit found in string"),
            (args.value::<u64>("--tasks"), "`--tasks` is `many`: invalid digit found in string"),
            (args.value::<u64>("--top"), "`--top` needs a value"),
        ];
        for (found, expected) in mistakes {
            let error = found.expect_err("refused");
            assert_eq!(error.to_string(), expected);
            assert!(Usage::is_in(&error.context("define it")));
        }
        assert!(!Usage::is_in(&Error::msg("no")));
    }

    #[test]
    fn words_that_nobody_asked_for_are_refused() {
        let args = Args::from(["book.txt", "--taks", "4", "--fast", "--top=3"]);
        assert_eq!(args.clone().path(0), Some("book.txt".into()));
        assert_eq!(args.value::<u64>("--tasks").expect("no error"), None);
        assert!(args.flag("--fast"));
        assert_eq!(args.value("--top").expect("a number"), Some(3));
        let error = args.check_all_read().expect_err("two are left");
        assert!(error.to_string().starts_with("`--taks` means nothing"), "{error}");
        assert!(Usage::is_in(&error));
        for word in ["--dead-letters", "--dead-letters=x", "--cores"] {
            let error = Args::from(["book.txt", word]);
            let _ = error.path(0);
            let error = error.check_all_read().expect_err("not the topology's").to_string();
            assert!(error.contains("put it before the first word and `--`"), "{error}");
        }
        assert_eq!(args.clone().into_iter().count(), 5);
        args.check_all_read().expect("all were taken");
    }

    #[test]
    #[should_panic(expected = "`--tasks`")]
    fn an_option_without_dashes_is_a_bug() {
        let _ = Args::default().value::<u64>("tasks");
    }

    #[test]
    fn what_is_not_given_is_none() {
        let args = Args::from(["--taskset=3"]);
        assert_eq!(args.get::<String>(1).expect("no error"), None);
        assert_eq!(args.value::<u64>("--tasks").expect("no error"), None);
        assert_eq!((args.len(), args.path(9)), (1, None));
    }
}
