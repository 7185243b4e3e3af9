//! The drills: what operators are promised for each disaster, and the scenario that measures it.

use crate::parse_duration;
use std::{collections::BTreeSet, fmt, path::Path, time::Duration};
use toml::{Table, Value};

/// One drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// What has happened, as an operator would say it.
    pub name: String,
    /// The scenario that plays it.
    pub scenario: String,
    /// How long recovery may take.
    pub rto: Duration,
    /// Confirmed transactions that may be lost.
    pub rpo: u64,
}

/// Why a file is no list of drills.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct DrillsError {
    /// The file.
    pub file: String,
    /// What is wrong, and where.
    pub problem: String,
}

/// Reads a list of drills.
///
/// # Errors
/// [`DrillsError`] for a file that cannot be read, a key that is missing, unknown or of the wrong type, and a name that
/// comes twice.
pub fn load(path: &Path) -> Result<Vec<Drill>, DrillsError> {
    let file = path.display().to_string();
    let failed = |problem: &dyn fmt::Display| DrillsError { file: file.clone(), problem: problem.to_string() };
    #[allow(clippy::disallowed_methods, reason = "the list of drills is a file of the harness")]
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    parse(&text).map_err(|problem| failed(&problem))
}

fn parse(text: &str) -> Result<Vec<Drill>, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    if let Some(key) = table.keys().find(|key| *key != "drill") {
        return Err(format!("unknown key `{key}`; the file is a list of [[drill]]"));
    }
    let all = table.get("drill").and_then(Value::as_array).ok_or("there is no [[drill]]")?;
    let drills: Vec<Drill> = all.iter().enumerate().map(|(n, value)| drill(n + 1, value)).collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    match drills.iter().find(|drill| !names.insert(&drill.name)) {
        Some(twice) => Err(format!("`{}` comes twice", twice.name)),
        None => Ok(drills),
    }
}

fn drill(number: usize, value: &Value) -> Result<Drill, String> {
    const KEYS: [&str; 4] = ["name", "scenario", "rto", "rpo"];
    let table = value.as_table().ok_or(format!("drill {number} is no table"))?;
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("drill {number}: unknown key `{key}`; the keys are {}", KEYS.join(", ")));
    }
    let text = |key: &str| {
        let text = table.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        text.ok_or(format!("drill {number}: `{key}` must be a string"))
    };
    let rto = text("rto")?;
    let rpo = table.get("rpo").and_then(Value::as_integer).and_then(|rpo| u64::try_from(rpo).ok());
    Ok(Drill {
        name: text("name")?,
        scenario: text("scenario")?,
        rto: parse_duration(&rto)
            .ok_or(format!("drill {number}: `rto = \"{rto}\"` is not a duration such as \"5m\""))?,
        rpo: rpo.ok_or(format!("drill {number}: `rpo` must be a whole number"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[drill]]\nname = \"A\"\nscenario = \"a\"\nrto = \"5m\"\nrpo = 0\n";

    #[test]
    fn a_drill_is_read() {
        let drill = Drill { name: "A".into(), scenario: "a".into(), rto: Duration::from_secs(300), rpo: 0 };
        assert_eq!(parse(GOOD), Ok(vec![drill]));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let told = |text: &str| parse(text).expect_err("it is wrong");
        assert_eq!(told(""), "there is no [[drill]]");
        assert_eq!(told(&GOOD.repeat(2)), "`A` comes twice");
        assert_eq!(
            told(&GOOD.replace("rto", "rtd")),
            "drill 1: unknown key `rtd`; the keys are name, scenario, rto, rpo"
        );
        assert_eq!(told(&GOOD.replace("5m", "soon")), "drill 1: `rto = \"soon\"` is not a duration such as \"5m\"");
        assert_eq!(told(&GOOD.replace("rpo = 0", "rpo = -1")), "drill 1: `rpo` must be a whole number");
        assert!(told("[[drill").contains("TOML parse error"));
    }

    #[test]
    fn the_shipped_drills_have_their_scenarios() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let drills = load(&folder.join("drills/targets.toml")).unwrap_or_else(|error| panic!("{error}"));
        for drill in &drills {
            assert!(folder.join(format!("{}.toml", drill.scenario)).is_file(), "{}", drill.scenario);
        }
    }
}
