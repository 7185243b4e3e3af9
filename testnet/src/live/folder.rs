//! The folder of a live run's homes, volumes and logs, and whose it is.

use crate::{TestnetError, net::Condition, net::ProcessId};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder, beside the report.
const NODES: &str = "nodes";
/// A file in it that tells that it is one, and which process plays the run.
const MARK: &str = "of-a-live-run";

/// Makes an empty folder for the nodes of a run whose report goes to `out`. What a run before left there is removed.
///
/// # Errors
/// [`TestnetError::Foreign`] when it is something else, [`TestnetError::Busy`] when a run that goes on has it, or when the
/// system refuses.
pub fn fresh(out: &Path) -> Result<PathBuf, TestnetError> {
    let failed = |path: &Path| TestnetError::system(format!("cannot make {}", path.display()));
    let folder = std::path::absolute(out.join(NODES)).map_err(failed(out))?;
    match owner(&folder) {
        Some(process) if process.condition() != Condition::Gone && process.pid != std::process::id() => {
            return Err(TestnetError::Busy { path: folder, pid: process.pid });
        }
        Some(_) => fs::remove_dir_all(&folder).map_err(failed(&folder))?,
        None if folder.exists() => return Err(TestnetError::Foreign { path: folder }),
        None => {}
    }
    fs::create_dir_all(&folder).map_err(failed(&folder))?;
    let own = ProcessId::of(std::process::id()).map_err(failed(&folder))?;
    let text = serde_json::to_string(&own).expect("it is JSON");
    fs::write(folder.join(MARK), text).map_err(failed(&folder))?;
    Ok(folder)
}

/// The process that plays, or played, the run whose folder this is. None for any other folder.
fn owner(folder: &Path) -> Option<ProcessId> {
    serde_json::from_slice(&fs::read(folder.join(MARK)).ok()?).ok()
}

/// Whether this is the folder of a run that nobody plays any more.
pub(super) fn is_abandoned(folder: &Path) -> bool {
    owner(folder).is_some_and(|process| process.condition() == Condition::Gone)
}

/// The folder of a run that `path` is in.
pub(super) fn around(path: &Path) -> Option<&Path> {
    path.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == NODES) && dir.join(MARK).is_file())
}

/// Reads a text of `/proc`.
pub(super) fn proc(name: &str) -> io::Result<String> {
    fs::read_to_string(Path::new("/proc").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_runs_are_removed() {
        let out = tempfile::tempdir().expect("there is a temporary folder");
        let folder = fresh(out.path()).expect("the folder is ours");
        fs::write(folder.join("n0.log"), "text").expect("the folder is ours");
        assert!(!is_abandoned(&folder), "this process lives");
        assert_eq!(around(&folder.join("n0/volume")), Some(&*folder));
        let again = fresh(out.path()).expect("it is of a run of ours");
        assert!(!again.join("n0.log").exists());
        let gone = r#"{"pid":1,"started":0,"boot":"another"}"#;
        fs::write(folder.join(MARK), gone).expect("the folder is ours");
        assert!(is_abandoned(&folder));
        fs::remove_file(folder.join(MARK)).expect("it is there");
        assert!(matches!(fresh(out.path()), Err(TestnetError::Foreign { .. })));
    }
}
