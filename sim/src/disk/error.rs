//! Why the simulated disk refuses.

/// Why an operation on the simulated disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// The path, or the directory that would hold it, does not exist.
    #[error("no such file or directory")]
    NotFound,
    /// The path exists already.
    #[error("file exists")]
    Exists,
    /// Another handle holds the lock.
    #[error("locked by another handle")]
    Locked,
    /// A file where a directory is needed.
    #[error("not a directory")]
    NotADirectory,
    /// The directory has entries.
    #[error("directory not empty")]
    NotEmpty,
    /// A directory was to be moved below itself.
    #[error("a directory cannot be moved into itself")]
    IntoItself,
    /// The host was killed or lost power since the handle was opened, or is down.
    #[error("the host is down")]
    Gone,
    /// The host is up, and only a disk that no process uses can be lost.
    #[error("the host is up")]
    InUse,
    /// The quota is used up. What fitted of an append was written.
    #[error("no space left on device")]
    NoSpace,
    /// A fault struck the operation.
    #[error("input/output error")]
    Io,
    /// A fault struck a sync, and what was pending is lost to later syncs.
    #[error("input/output error: the sync failed for good")]
    SyncFailed,
    /// The file has no such byte or bit.
    #[error("beyond the end of the file")]
    BeyondEnd,
}
