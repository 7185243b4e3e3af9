//! Directories of a [`Model`]: what is below them, and what is done to whole trees.

use super::{super::error::DiskError, Model, Number};
use std::collections::{BTreeMap, BTreeSet};

/// The path with one slash at its start, none doubled and none at its end; the root is the empty string.
pub fn normal(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").fold(String::new(), |mut out, part| {
        out.push('/');
        out.push_str(part);
        out
    })
}

pub(super) fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..slash])
}

/// True for the directory itself and for what is below it.
fn within(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The entries below a directory, at any depth.
pub(super) fn children<'a>(
    names: &'a BTreeMap<String, Number>,
    dir: &str,
) -> impl Iterator<Item = (&'a String, &'a Number)> + use<'a> {
    let prefix = format!("{dir}/");
    names.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix))
}

pub(super) fn own((path, number): (&String, &Number)) -> (String, Number) {
    (path.clone(), *number)
}

impl Model {
    /// The names in a directory, in order.
    pub fn list(&self, dir: &str) -> Result<Vec<String>, DiskError> {
        self.check_dir(dir)?;
        let files = children(&self.names, dir).map(|(path, _)| path);
        let names = files.chain(self.dirs.iter()).filter(|path| parent(path) == dir);
        Ok(names.map(|path| path[dir.len() + 1..].to_owned()).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// Makes a directory and those above it.
    pub fn make_dir(&mut self, path: &str) -> Result<(), DiskError> {
        if self.names.contains_key(path) || self.is_dir(path) {
            return Err(DiskError::Exists);
        }
        let above = || std::iter::successors(Some(path), |dir| Some(parent(dir))).take_while(|dir| !dir.is_empty());
        if above().any(|dir| self.names.contains_key(dir)) {
            return Err(DiskError::NotADirectory);
        }
        for dir in above() {
            self.take_place(dir);
            self.dirs.insert(dir.to_owned());
        }
        Ok(())
    }

    /// Removes an empty directory.
    pub fn remove_dir(&mut self, path: &str) -> Result<(), DiskError> {
        if !self.list(path)?.is_empty() {
            return Err(DiskError::NotEmpty);
        }
        // Names that were removed without a sync go with it.
        self.sync_dir(path)?;
        self.dirs.remove(path);
        Ok(())
    }

    /// Removes a directory with all that is below it, to readers and to a power cut. Only the root itself stays.
    pub fn remove_tree(&mut self, dir: &str) -> Result<(), DiskError> {
        self.check_dir(dir)?;
        let Self { inodes, names, durable_names, dirs, .. } = self;
        for names in [names, durable_names] {
            for (path, number) in children(names, dir).map(own).collect::<Vec<_>>() {
                names.remove(&path);
                inodes.release(number);
            }
        }
        dirs.retain(|path| !within(path, dir));
        Ok(())
    }

    /// Gives a directory another name, which must be free: all names below it move, readers' and durable ones.
    pub(super) fn rename_tree(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        if self.stat(to).is_ok() {
            return Err(DiskError::Exists);
        }
        if within(to, from) {
            return Err(DiskError::IntoItself);
        }
        self.take_place(to);
        let Self { names, durable_names, dirs, .. } = self;
        let moved = |path: &str| format!("{to}{}", &path[from.len()..]);
        for names in [names, durable_names] {
            for (path, number) in children(names, from).map(own).collect::<Vec<_>>() {
                names.remove(&path);
                names.insert(moved(&path), number);
            }
        }
        *dirs = dirs.iter().map(|dir| if within(dir, from) { moved(dir) } else { dir.clone() }).collect();
        Ok(())
    }

    /// A directory comes to stand at `path`, durably: a file of that name that was removed is gone for good.
    fn take_place(&mut self, path: &str) {
        if let Some(number) = self.durable_names.remove(path) {
            self.inodes.release(number);
        }
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || self.dirs.contains(path)
    }

    /// Fails if `path` is no directory.
    pub fn check_dir(&self, path: &str) -> Result<(), DiskError> {
        match self.is_dir(path) {
            true => Ok(()),
            false if self.names.contains_key(path) => Err(DiskError::NotADirectory),
            false => Err(DiskError::NotFound),
        }
    }

    pub(super) fn check_parent(&self, path: &str) -> Result<(), DiskError> {
        self.check_dir(parent(path))
    }
}
