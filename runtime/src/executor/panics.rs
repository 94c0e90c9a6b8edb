//! What is known of a panic besides its message: where it was, and whose fault it is.
//!
//! Rust tells a panic to its hook, before anything is unwound. Ours takes note of the place for
//! whoever catches the panic. On the threads of an engine it says nothing by itself, because the
//! panic is reported as an error of its component; everywhere else, and in threads of the program
//! that runs the engine, the hook that was there before does what it did.
//!
//! **Whose fault.** User code runs where a loop has left a [note](super::user_code) of it. A panic
//! of the engine's own code anywhere else is a bug of the engine. Keys, clones and destructors of
//! tuples run outside of notes as well, so what counts is both: where the loop was, and in whose
//! file the panic stands.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    cell::{Cell, RefCell},
    panic::{self, PanicHookInfo},
    sync::Once,
};

use super::guard::message;

/// What a thread is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Nothing that would be caught here.
    Elsewhere,
    /// Code of the engine.
    Engine,
    /// Code of a component.
    UserCode,
}

/// Where a panic was.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// File, line and column.
    pub(crate) at: String,
    /// The calls that led there, for those who set `RUST_BACKTRACE`.
    pub(crate) backtrace: Option<String>,
    /// Whether it was code of the engine, outside of user code.
    is_bug: bool,
}

thread_local! {
    static AT: Cell<At> = const { Cell::new(At::Elsewhere) };
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Origin>> = const { RefCell::new(None) };
}

/// The thread is at something, until this is dropped.
pub(crate) struct Entered(At);

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        AT.set(self.0);
    }
}

#[inline]
pub(crate) fn enter(at: At) -> Entered {
    Entered(AT.replace(at))
}

/// Has panics that this thread catches reported, and not printed as well.
pub(crate) fn be_quiet() {
    IS_QUIET.set(true);
}

/// Puts our hook before the one that is there, once for the process. Whoever sets another one later
/// gets every panic, and we know of none where it was.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !take_note(info) {
                previous(info);
            }
        }));
    });
}

/// Whether the panic will be reported, so that nobody else need tell it.
fn take_note(info: &PanicHookInfo<'_>) -> bool {
    let at = AT.get();
    if at == At::Elsewhere {
        return false;
    }
    let place = info.location();
    let backtrace = Backtrace::capture();
    let is_asked = backtrace.status() == BacktraceStatus::Captured;
    let origin = Origin {
        at: place.map_or_else(|| "an unknown place".to_owned(), ToString::to_string),
        backtrace: is_asked.then(|| backtrace.to_string()),
        is_bug: at == At::Engine && place.is_some_and(|place| is_ours(place.file())),
    };
    LAST.replace(Some(origin));
    IS_QUIET.get()
}

/// Whether the file is one of the engine's: of this crate, or of the language that it runs.
fn is_ours(file: &str) -> bool {
    let root_of = |file: &'static str, name: &str| file.strip_suffix(name).unwrap_or(file);
    let runtime = root_of(file!(), "executor/panics.rs");
    file.starts_with(runtime) || file.starts_with(root_of(tormenta_dsl::engine::FILE, "engine.rs"))
}

/// Where the last panic of this thread was, if nobody has asked before.
pub(crate) fn take_origin() -> Option<Origin> {
    LAST.take()
}

/// If the panic that was just caught is a bug of the engine, what to tell people. Else its origin
/// stays for the report.
pub(crate) fn bug(panic: &(dyn Any + Send)) -> Option<String> {
    let origin = LAST.with_borrow_mut(|last| last.take_if(|origin| origin.is_bug))?;
    let calls = origin.backtrace.map(|calls| format!("\n{calls}")).unwrap_or_default();
    Some(format!(
        "a bug of Tormenta {}, not of the topology: `{}` at {}; please report this line, and what \
         the topology was at, to {}/issues{calls}",
        env!("CARGO_PKG_VERSION"),
        message(panic),
        origin.at,
        env!("CARGO_PKG_REPOSITORY"),
    ))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn caught(at: At, code: impl FnOnce()) -> (Option<String>, Option<Origin>) {
        install_hook();
        be_quiet();
        let entered = enter(at);
        let panic = catch_unwind(AssertUnwindSafe(code)).expect_err("it panics");
        drop(entered);
        (bug(&*panic), take_origin())
    }

    #[test]
    fn a_panic_of_the_engine_is_a_bug_where_no_user_code_runs() {
        let (bug, origin) = caught(At::Engine, || panic!("unsound"));
        let bug = bug.expect("a bug");
        assert!(bug.contains("not of the topology: `unsound` at "), "{bug}");
        assert!(bug.contains(concat!(file!(), ":")) && bug.contains("/issues"), "{bug}");
        assert!(origin.is_none(), "it is told once");
    }

    #[test]
    fn a_panic_of_user_code_is_none_whatever_the_file() {
        let (bug, origin) = caught(At::UserCode, || panic!("theirs"));
        assert_eq!(bug, None);
        assert!(origin.expect("known").at.starts_with(file!()));
    }

    #[test]
    fn files_of_the_engine_are_told_from_others() {
        assert!(is_ours(file!()) && is_ours(tormenta_dsl::engine::FILE));
        for file in ["src/main.rs", "spouts/src/sequence.rs", "/rustc/1/library/core/src/num.rs"] {
            assert!(!is_ours(file), "{file}");
        }
    }
}
