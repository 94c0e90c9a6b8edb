//! A second end of a pipe that never blocks, beside the one that does.

use std::{fs::File, process::ChildStdin};

/// A second end of the input of a child; `None` where the system does not open one anew. Whether
/// an end blocks belongs to what was opened, so the same one could not be both.
#[cfg(target_os = "linux")]
pub(super) fn of(stdin: &ChildStdin) -> Option<File> {
    use std::os::{fd::AsRawFd, unix::fs::OpenOptionsExt};

    use rustix::fs::OFlags;

    let path = format!("/proc/self/fd/{}", stdin.as_raw_fd());
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).ok()?;
    std::fs::OpenOptions::new().write(true).custom_flags(flags).open(path).ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn of(_stdin: &ChildStdin) -> Option<File> {
    None
}
