//! What loops on different cores say to each other. The only place that names the channel crate.

pub(crate) mod link;
pub(crate) mod mailbox;
pub(crate) mod queue;
