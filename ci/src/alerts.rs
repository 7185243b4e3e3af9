//! What the alert rules make of a run: the real `promtool` evaluates them over the metrics of its nodes.

use crate::failure::Failure;
use assay_reports::{
    alerts::{self, Rule, TestFile, Wanted},
    scrapes,
};
use assay_scenarios::Scenario;
use assay_sim::run::Played;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The folder, beside the report, from which `promtool` runs.
const FOLDER: &str = "alerts";
/// The file of questions in it.
const QUESTIONS: &str = "questions.yml";
/// The file of tests in it.
const TESTS: &str = "tests.yml";

/// The folder of the shipped rules: below the working directory, or of the source tree that this program was built from.
fn rules_dir() -> PathBuf {
    let here = PathBuf::from("testnet/monitoring/rules");
    if here.is_dir() { here } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("../testnet/monitoring/rules") }
}

/// Judges a run by its alerts, where its scenario says which there are to be. Rules, questions and tests stay in `out`.
///
/// # Errors
/// [`Failure::Infrastructure`] without `promtool`, or when it refuses the rules.
pub fn judge(scenario: &Scenario, played: &mut Played, out: &Path) -> Result<(), Failure> {
    let Some(must) = &scenario.expect.alerts else { return Ok(()) };
    let folder = out.join(FOLDER);
    let rules = copy_rules(&rules_dir(), &folder)?;
    let text: String = rules.iter().map(|(_, text)| text.as_str()).collect();
    let names: Vec<String> = rules.into_iter().map(|(name, _)| name).collect();
    let file = TestFile { scrapes: &played.scrapes, rule_files: &names, rules: &text };
    write(&folder.join(QUESTIONS), &alerts::questions(&file))?;
    let said = promtool(&folder, QUESTIONS)?;
    let all = [said.stdout, said.stderr].concat();
    let all = String::from_utf8_lossy(&all);
    // A question that could not be answered is told as such, in the line of the question.
    let has_failed = all.lines().any(|line| line.contains(", err: "));
    if has_failed || !said.status.success() && !all.contains("got:") {
        return Err(Failure::Infrastructure(format!("promtool refuses the rules: {}", all.trim())));
    }
    let fired = alerts::answers(&all).map_err(|error| Failure::Infrastructure(error.to_string()))?;
    let first_fault = played.record.faults.iter().map(|fault| fault.planned_at).min_by(f64::total_cmp).unwrap_or(0.0);
    let by = scenario.expect.alerts_within.map(|within| first_fault as u64 + within.as_secs());
    let must = must.iter().map(|name| Wanted { name: name.clone(), must: true, by });
    let may = scenario.expect.alerts_allowed.iter().map(|name| Wanted { name: name.clone(), must: false, by: None });
    let rule = Rule {
        wanted: must.chain(may).collect(),
        no_other: scenario.expect.no_other_alert,
        line: scenario.line_of("alerts"),
    };
    let is_met = alerts::judge(&mut played.record, &rule, &fired);
    // The same as tests, for people: what was found must be what they say.
    write(&folder.join(TESTS), &alerts::tests(&file, &rule))?;
    if promtool(&folder, TESTS)?.status.success() != is_met {
        let folder = folder.display();
        return Err(Failure::Infrastructure(format!("{folder}: {TESTS} and the answers to {QUESTIONS} do not agree")));
    }
    Ok(())
}

/// As [`judge`], and leaves nothing.
///
/// # Errors
/// As [`judge`].
pub fn judge_aside(scenario: &Scenario, played: &mut Played) -> Result<(), Failure> {
    if scenario.expect.alerts.is_none() {
        return Ok(());
    }
    let name = format!("assay-{}-{}-{}", std::process::id(), played.record.scenario, played.record.seed);
    let folder = std::env::temp_dir().join(name);
    let judged = judge(scenario, played, &folder);
    // What stays there is in nobody's way.
    let _removed = fs::remove_dir_all(&folder);
    judged
}

/// Writes the metrics of a run beside its report.
pub fn write_metrics(played: &Played, out: &Path) -> Result<(), Failure> {
    write(&out.join(scrapes::FILE), &played.scrapes.json())
}

/// Copies the rules to where `promtool` runs, and returns their names and texts.
fn copy_rules(from: &Path, to: &Path) -> Result<Vec<(String, String)>, Failure> {
    let failed = |error: io::Error| Failure::Infrastructure(format!("{}: {error}", from.display()));
    let mut all = Vec::new();
    for entry in fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            all.push((name, fs::read_to_string(&path).map_err(failed)?));
        }
    }
    all.sort();
    for (name, text) in &all {
        write(&to.join(name), text)?;
    }
    Ok(all)
}

fn promtool(folder: &Path, file: &str) -> Result<Output, Failure> {
    let said = Command::new("promtool").args(["test", "rules", file]).current_dir(folder).output();
    said.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Infrastructure(
            "the scenario is judged by its alerts, and promtool is not on the PATH: install prometheus, or fetch it alone by \
             ci/need-promtool and add target/tools/bin to the PATH"
                .into(),
        ),
        _ => Failure::Infrastructure(format!("promtool: {error}")),
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Infrastructure(format!("{}: {error}", path.display()));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
