//! Finding scenarios and reports.

use crate::failure::Failure;
use assay_reports::Record;
use assay_scenarios::Scenario;
use std::path::{Path, PathBuf};

/// The folder of scenarios: of the working directory, or of the source tree that this program was built from.
pub fn scenario_dir() -> PathBuf {
    let here = PathBuf::from("scenarios");
    if here.is_dir() { here } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios") }
}

/// Reads a scenario by its file or by its name.
///
/// # Errors
/// [`Failure::Usage`] when there is none, [`Failure::Scenario`] when it is wrong.
pub fn scenario(named: &str) -> Result<Scenario, Failure> {
    let path = Path::new(named);
    if path.is_file() {
        return Ok(Scenario::load(path)?);
    }
    let in_dir = scenario_dir().join(format!("{named}.toml"));
    if in_dir.is_file() {
        return Ok(Scenario::load(&in_dir)?);
    }
    let names = assay_scenarios::catalogue::list(&scenario_dir()).map(|all| {
        let names: Vec<_> = all.into_iter().map(|summary| summary.name).collect();
        names.join(", ")
    });
    let known = names.unwrap_or_default();
    Err(Failure::Usage(format!("there is no scenario {named}: give a file, or one of: {known}")))
}

/// Reads the scenario of a record: the one that is kept in it, or from before scenarios were, the one of its name.
///
/// # Errors
/// [`Failure::Scenario`] when this revision no longer takes it, and as [`scenario`].
pub fn scenario_of(record: &Record) -> Result<Scenario, Failure> {
    match &record.scenario_file {
        Some(file) => Ok(Scenario::parse(&file.name, &file.text)?),
        None => scenario(&record.scenario),
    }
}

/// Reads the record of a report by its file or its folder.
///
/// # Errors
/// [`Failure::Usage`] when there is none, [`Failure::Record`] when it is not one.
pub fn record(path: &Path) -> Result<(PathBuf, Record), Failure> {
    let file = if path.is_dir() { path.join("report.json") } else { path.to_owned() };
    let bytes = std::fs::read(&file).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let record = Record::read(&bytes).map_err(|error| Failure::Record(file.clone(), error))?;
    Ok((file, record))
}

/// The command that repeats a run.
pub fn reproduce(scenario: &Scenario, seed: u64) -> String {
    let in_tree = Path::new(&scenario.file).strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).ok();
    let file = in_tree.map_or_else(|| scenario.file.clone(), |path| path.display().to_string());
    format!("cargo assay run {file} --seed {seed}")
}
