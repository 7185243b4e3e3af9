//! Where nets live: a root with a folder for each, and a link to the one that was started last.
//!
//! ```text
//! target/assay/testnet/          the root
//!   latest -> dev                what a command means that names no net
//!   .dev.lock                    held by the one command that changes the net
//!   dev/testnet.json             its state
//!   dev/accounts.json            funded accounts with their secrets    mode 0600
//!   dev/n0/                      a node's home
//!   dev/n0.log, n0.log.1 ...     its log, and older parts of it
//! ```

use super::{
    error::NetError,
    state::{STATE_FILE, State},
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The root unless told otherwise; relative to the working directory.
pub const ROOT: &str = "target/assay/testnet";

/// What a command means that names no net: the one that was started last.
pub const LATEST: &str = "latest";

/// Characters of a net's name, at most: a chain's name is made of it.
pub const NAME_MAX: usize = 24;

/// A net by its name, and its state or why that cannot be read.
pub type NamedState = (String, Result<State, NetError>);

/// The folder that holds the nets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// The root at `path`, relative to the working directory. Nothing is read or made.
    ///
    /// # Errors
    /// When the working directory is needed and gone.
    pub fn new(path: &Path) -> Result<Self, NetError> {
        std::path::absolute(path).map(Self).map_err(NetError::system(format!("cannot find {}", path.display())))
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of the net `name`, which need not exist.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The name that `name` stands for: that of the net started last for [`LATEST`], else itself.
    ///
    /// # Errors
    /// [`NetError::NoNet`] when none was started, [`NetError::Name`] when it is no name.
    pub(crate) fn resolve(&self, name: &str) -> Result<String, NetError> {
        if name != LATEST {
            check_name(name)?;
            return Ok(name.to_owned());
        }
        self.latest().ok_or_else(|| NetError::NoNet { path: self.0.join(LATEST) })
    }

    /// The net that was started last, when it is still there.
    pub fn latest(&self) -> Option<String> {
        let target = fs::read_link(self.0.join(LATEST)).ok()?;
        let name = target.to_str()?.to_owned();
        (check_name(&name).is_ok() && self.folder(&name).join(STATE_FILE).exists()).then_some(name)
    }

    /// Makes `name` the net that was started last.
    pub(crate) fn set_latest(&self, name: &str) -> Result<(), NetError> {
        let (link, new) = (self.0.join(LATEST), self.0.join(".latest.new"));
        let made = remove(&new).and_then(|()| std::os::unix::fs::symlink(name, &new));
        made.and_then(|()| fs::rename(&new, &link))
            .map_err(NetError::system(format!("cannot make the link {}", link.display())))
    }

    /// The nets that there are, by name, each with its state or why that cannot be read.
    ///
    /// # Errors
    /// When the root is there and cannot be read.
    pub fn nets(&self) -> Result<Vec<NamedState>, NetError> {
        let failed = || NetError::system(format!("cannot read {}", self.0.display()));
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed()(error)),
        };
        let mut nets = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if check_name(&name).is_ok() && entry.path().join(STATE_FILE).exists() {
                nets.push((name, State::read(&entry.path())));
            }
        }
        nets.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(nets)
    }

    /// The right to change the net `name`, for as long as the value lives; the system takes it back from a command that is
    /// killed.
    ///
    /// # Errors
    /// [`NetError::Busy`] when another command has it.
    pub(crate) fn lock(&self, name: &str) -> Result<File, NetError> {
        let path = self.0.join(format!(".{name}.lock"));
        let open = || {
            fs::create_dir_all(&self.0)?;
            OpenOptions::new().create(true).truncate(false).write(true).open(&path)
        };
        let file = open().map_err(NetError::system(format!("cannot write {}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(NetError::Busy { name: name.to_owned() }),
            Err(TryLockError::Error(error)) => Err(NetError::system(format!("cannot lock {}", path.display()))(error)),
        }
    }
}

/// Whether `name` can be a net's.
///
/// # Errors
/// [`NetError::Name`] when not.
pub(crate) fn check_name(name: &str) -> Result<(), NetError> {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_name = !name.is_empty() && name.len() <= NAME_MAX && name.bytes().all(allowed) && name != LATEST;
    if is_name { Ok(()) } else { Err(NetError::Name { got: name.chars().take(80).collect() }) }
}

/// Removes a file or a link that may not be there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::state::tests::state;

    #[test]
    fn names() {
        for name in ["dev", "a", "pow-4", "0"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "latest", "Dev", "a/b", "..", ".dev", "a b", "a2345678901234567890123456"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_latest_is_the_one_that_was_said_last_and_is_there() {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        let root = Root::new(dir.path()).expect("it is absolute");
        assert!(matches!(root.resolve(LATEST), Err(NetError::NoNet { .. })));
        for name in ["a", "b"] {
            fs::create_dir(root.folder(name)).expect("the folder is ours");
            state(1).write(&root.folder(name)).expect("the folder is ours");
            root.set_latest(name).expect("the folder is ours");
        }
        assert_eq!(root.resolve(LATEST).expect("there are two"), "b");
        fs::remove_dir_all(root.folder("b")).expect("the folder is ours");
        assert_eq!(root.latest(), None, "the link leads nowhere");
        fs::create_dir(root.folder("no-net")).expect("the folder is ours");
        let names: Vec<_> = root.nets().expect("it is there").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn one_command_at_a_time_changes_a_net() {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        let root = Root::new(&dir.path().join("root")).expect("it is absolute");
        let held = root.lock("a").expect("nobody has it");
        assert!(matches!(root.lock("a"), Err(NetError::Busy { .. })));
        root.lock("b").expect("it is another net");
        drop(held);
        root.lock("a").expect("nobody has it any more");
    }
}
