//! What commands that were killed have left behind: nodes that run and that no net is meant to have.

use super::{
    error::NetError,
    folder::Root,
    nodes::{Ending, end},
    process_id::{Condition, ProcessId},
};
use rustix::process::Signal;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// A process that is left over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The process.
    pub process: ProcessId,
    /// The home that it runs, when its command line tells.
    pub home: Option<PathBuf>,
    /// Why it should not be there.
    pub reason: String,
}

impl Leftover {
    /// Ends it, in order if it can be.
    ///
    /// # Errors
    /// When the system refuses, or it does not end.
    pub async fn end(&self) -> Result<Ending, NetError> {
        end(&self.process, "a process that is left over", Signal::TERM).await
    }
}

/// The processes that are left over of nets under `root`: those that a net names that is not meant to run, and nodes with a
/// home below the root that no net names.
///
/// # Errors
/// When the root or the processes of the system cannot be read.
pub fn leftovers(root: &Root) -> Result<Vec<Leftover>, NetError> {
    let mut found = Vec::new();
    let mut expected = BTreeSet::new();
    for (name, state) in root.nets()? {
        // Of a state that cannot be read nothing is known, and what runs of it is found by its homes.
        let Ok(state) = state else { continue };
        for node in state.nodes {
            let Some(process) = node.process.filter(|process| process.condition() != Condition::Gone) else { continue };
            expected.insert(process.pid);
            if !state.running {
                let reason = format!("testnet {name} is not meant to run, and its {} does", node.name);
                found.push(Leftover { process, home: Some(node.home), reason });
            }
        }
    }
    let real = root.path().canonicalize().unwrap_or_else(|_not_there| root.path().to_owned());
    for pid in processes()? {
        let Some(home) = home_of(pid) else { continue };
        if expected.contains(&pid) || !(home.starts_with(root.path()) || home.starts_with(&real)) {
            continue;
        }
        // One that has ended meanwhile is not left over.
        let Ok(process) = ProcessId::of(pid) else { continue };
        found.push(Leftover { process, home: Some(home), reason: "no testnet names this process".into() });
    }
    Ok(found)
}

fn processes() -> Result<Vec<u32>, NetError> {
    let read = || -> io::Result<Vec<u32>> {
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc")? {
            pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        pids.sort_unstable();
        Ok(pids)
    };
    read().map_err(NetError::system("cannot read /proc"))
}

/// The home that a process runs, when it is a node.
fn home_of(pid: u32) -> Option<PathBuf> {
    home_in(&fs::read(format!("/proc/{pid}/cmdline")).ok()?)
}

fn home_in(command_line: &[u8]) -> Option<PathBuf> {
    let mut words = command_line.split(|byte| *byte == 0).skip(1);
    let is_run = words.next() == Some(b"run") && words.next() == Some(b"--home");
    let home = words.next().filter(|home| is_run && home.starts_with(b"/"))?;
    Some(Path::new(OsStr::from_bytes(home)).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_known_by_its_command_line() {
        let home = |line: &[u8]| home_in(line).map(|home| home.display().to_string());
        assert_eq!(home(b"/bin/assay-node\0run\0--home\0/nets/dev/n0\0").as_deref(), Some("/nets/dev/n0"));
        for other in
            [&b"/bin/assay-node\0run\0"[..], b"run\0--home\0/a\0", b"x\0db\0--home\0/a\0", b"x\0run\0--home\0a\0", b""]
        {
            assert_eq!(home(other), None);
        }
    }
}
