//! Writes a report to a directory. The one module here that touches the file system.
#![allow(clippy::disallowed_methods, reason = "reports are files; nothing simulated runs through this module")]

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::parity::{self, ParityRecord};
use crate::record::Record;
use crate::render;
use crate::sweep::{self, SweepRecord};

/// Writes `summary.md`, `junit.xml`, `report.html`, `plots/NAME.svg` and last `report.json` into `dir`, which is created
/// if it is missing, and returns their paths in that order. Each file is replaced in one step, so that whoever sees the
/// record sees it whole.
///
/// # Errors
/// [`WriteError`] with the path that could not be written.
pub fn write_all(dir: &Path, record: &Record) -> Result<Vec<PathBuf>, WriteError> {
    let mut files = vec![
        ("summary.md".to_owned(), render::markdown(record)),
        ("junit.xml".to_owned(), render::junit(record)),
        ("report.html".to_owned(), render::html(record)),
    ];
    files.extend(render::plots(record).into_iter().map(|(name, svg)| (format!("plots/{name}.svg"), svg)));
    files.push(("report.json".to_owned(), render::json(record)));
    write_files(dir, files)
}

/// Writes `summary.md`, `junit.xml`, `index.html` and last `sweep.json` into `dir`, as [`write_all`] does for one run; with
/// a baseline also `regressions.md`, which is part of the summary as well.
///
/// # Errors
/// [`WriteError`] with the path that could not be written.
pub fn write_sweep(
    dir: &Path,
    record: &SweepRecord,
    against: Option<&sweep::Comparison>,
) -> Result<Vec<PathBuf>, WriteError> {
    let comment = against.map(sweep::comment);
    let mut summary = sweep::markdown(record);
    if let Some(comment) = &comment {
        summary += "\n";
        summary += comment;
    }
    let mut files = vec![
        ("summary.md".to_owned(), summary),
        ("junit.xml".to_owned(), sweep::junit(record)),
        ("index.html".to_owned(), sweep::html(record, against)),
    ];
    files.extend(comment.map(|comment| ("regressions.md".to_owned(), comment)));
    files.push(("sweep.json".to_owned(), sweep::json(record)));
    write_files(dir, files)
}

/// Writes `parity.md` and last `parity.json` into `dir`, as [`write_all`] does for one run.
///
/// # Errors
/// [`WriteError`] with the path that could not be written.
pub fn write_parity(dir: &Path, record: &ParityRecord) -> Result<Vec<PathBuf>, WriteError> {
    write_files(
        dir,
        vec![("parity.md".to_owned(), parity::markdown(record)), ("parity.json".to_owned(), parity::json(record))],
    )
}

/// A file of the report could not be written.
#[derive(Debug, Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file or directory.
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
}

fn write_files(dir: &Path, files: Vec<(String, String)>) -> Result<Vec<PathBuf>, WriteError> {
    files
        .into_iter()
        .map(|(name, content)| {
            let path = dir.join(name);
            replace(&path, content.as_bytes()).map_err(|source| WriteError { path: path.clone(), source })?;
            Ok(path)
        })
        .collect()
}

/// Writes under a temporary name in the same directory and renames, so that a reader sees the old file or the new one.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = std::fs::write(&temporary, content).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
