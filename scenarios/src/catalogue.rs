//! The scenarios of a folder.

use crate::{Scenario, ScenarioError};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// The scenario's name.
    pub name: String,
    /// What it shows, in one line.
    pub about: String,
    /// How many nodes run.
    pub nodes: u16,
    /// Length of the run, in virtual time.
    pub duration: Duration,
    /// How many faults it has.
    pub faults: usize,
}

/// Reads every `*.toml` directly in `dir`, in the order of the file names. `Cargo.toml` is left out: the folder of the
/// shipped scenarios is a crate too.
///
/// # Errors
/// A folder that cannot be read, or the first file that is no scenario, with its place.
pub fn list(dir: &Path) -> Result<Vec<Summary>, ScenarioError> {
    let unreadable = |source| ScenarioError::Unreadable { file: dir.display().to_string(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name() != Some("Cargo.toml".as_ref())
        {
            paths.push(path);
        }
    }
    // By name: with the extension, `a-b.toml` would stand before `a.toml`.
    paths.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    paths.into_iter().map(summary).collect()
}

fn summary(path: PathBuf) -> Result<Summary, ScenarioError> {
    let scenario = Scenario::load(&path)?;
    Ok(Summary {
        path,
        name: scenario.name,
        about: scenario.about,
        nodes: scenario.nodes.get(),
        duration: scenario.duration,
        faults: scenario.faults.len(),
    })
}
