//! Whose files are that containers use.

use crate::TestnetError;
use serde::Serialize;
use std::{fs, os::unix::fs::lchown, path::Path};

/// The user of the image, when root makes what containers use: no node should be root. Nobody else's number on most systems.
pub const IMAGE_USER: u32 = 65532;

/// A user and a group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

impl Owner {
    /// Who runs containers: [`IMAGE_USER`] when this process is root's, else its own user.
    pub fn of_containers() -> Self {
        let own = rustix::process::geteuid();
        match own.is_root() {
            true => Self { user: IMAGE_USER, group: IMAGE_USER },
            false => Self { user: own.as_raw(), group: rustix::process::getegid().as_raw() },
        }
    }

    /// Gives a directory, and all that is in it, to this owner. Nothing is to be done when this process is not root's: then
    /// they are one.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take(self, dir: &Path) -> Result<(), TestnetError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let failed = |path: &Path| TestnetError::system(format!("cannot give {} to the node's user", path.display()));
        let mut all = vec![dir.to_owned()];
        while let Some(path) = all.pop() {
            let meta = path.symlink_metadata().map_err(failed(&path))?;
            lchown(&path, Some(self.user), Some(self.group)).map_err(failed(&path))?;
            if meta.is_dir() {
                for entry in fs::read_dir(&path).map_err(failed(&path))? {
                    all.push(entry.map_err(failed(&path))?.path());
                }
            }
        }
        Ok(())
    }
}
