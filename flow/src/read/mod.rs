//! From the text of a flow to what it declares.
//!
//! ```text
//!   text -> document -> declared -> plan (other folder)
//!           TOML, env   params, settings, reads
//! ```
//!
//! Nothing here stops at a mistake: it is noted, with its place, and reading goes on.

pub(crate) mod declared;
pub(crate) mod document;
pub(crate) mod env;
pub(crate) mod kinds;
pub(crate) mod notes;
pub(crate) mod params;
pub(crate) mod reads;
pub(crate) mod renames;
pub(crate) mod settings;
pub(crate) mod suggest;
