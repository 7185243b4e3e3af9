//! `assay determinism`: one seed in two processes, compared event by event.

use crate::{args::DeterminismArgs, failure::Failure, files, output::say};
use assay_reports::Verdict;
use assay_sim::trace::{Difference, first_difference};
use serde::Serialize;
use std::{
    fs::File,
    io::BufReader,
    path::Path,
    process::{Command, Stdio},
};

#[derive(Serialize)]
struct Outcome<'a> {
    scenario: &'a str,
    seed: u64,
    equal: bool,
    trace_hashes: [&'a str; 2],
    difference: Option<String>,
}

/// Runs the command.
pub fn main(args: &DeterminismArgs) -> Result<u8, Failure> {
    let scenario = files::scenario(&args.scenario)?;
    let dir = std::env::temp_dir().join(format!("assay-determinism-{}", std::process::id()));
    let infrastructure = |what: String| Failure::Infrastructure(what);
    std::fs::create_dir_all(&dir).map_err(|error| infrastructure(format!("{}: {error}", dir.display())))?;
    let compared = compare(&scenario.file, args.seed, &dir);
    // Best effort: a folder that stays behind under the system's temporary directory harms nobody.
    let _removed = std::fs::remove_dir_all(&dir);
    let (hashes, difference) = compared?;
    let equal = hashes[0] == hashes[1];
    if args.json {
        let outcome = Outcome {
            scenario: &scenario.name,
            seed: args.seed,
            equal,
            trace_hashes: [&hashes[0], &hashes[1]],
            difference: difference.map(|difference| difference.to_string()),
        };
        say(serde_json::to_string(&outcome).expect("an outcome has a JSON form"));
    } else if equal {
        say(format_args!("{} {}: equal in two processes, trace {}", scenario.name, args.seed, hashes[0]));
    } else {
        say(format_args!(
            "{} {}: two processes differ, traces {} and {}",
            scenario.name, args.seed, hashes[0], hashes[1]
        ));
        match difference {
            Some(difference) => say(difference),
            None => say("no event differs: the order of the lanes does"),
        }
        say(format_args!("cargo assay determinism {} --seed {}", scenario.file, args.seed));
    }
    let verdict = if equal { Verdict::Passed } else { Verdict::Nondeterministic };
    Ok(verdict.exit_code())
}

/// Runs both and gives their hashes, with the first difference when those are not equal.
fn compare(file: &str, seed: u64, dir: &Path) -> Result<([String; 2], Option<Difference>), Failure> {
    let traces = [dir.join("left.trace"), dir.join("right.trace")];
    let outs = [dir.join("left"), dir.join("right")];
    let fail = |what: &dyn std::fmt::Display| Failure::Infrastructure(what.to_string());
    let program = std::env::current_exe().map_err(|error| fail(&error))?;
    let start = |trace: &Path, out: &Path| {
        let mut command = Command::new(&program);
        command.args(["run", file, "--json", "--seed", &seed.to_string(), "--trace"]).arg(trace);
        command.arg("--out").arg(out).stdout(Stdio::null()).spawn().map_err(|error| fail(&error))
    };
    let children = [start(&traces[0], &outs[0])?, start(&traces[1], &outs[1])?];
    for mut child in children {
        let status = child.wait().map_err(|error| fail(&error))?;
        // A violated run is as good as any to compare.
        if !matches!(status.code(), Some(0 | 1)) {
            return Err(fail(&format_args!("a run ended with {status}")));
        }
    }
    let hash = |out: &Path| files::record(out).map(|(_, record)| record.trace_hash);
    let hashes = [hash(&outs[0])?, hash(&outs[1])?];
    if hashes[0] == hashes[1] {
        return Ok((hashes, None));
    }
    let open = |trace: &Path| File::open(trace).map(BufReader::new).map_err(|error| fail(&error));
    let difference = first_difference(open(&traces[0])?, open(&traces[1])?).map_err(|error| fail(&error))?;
    Ok((hashes, difference))
}
