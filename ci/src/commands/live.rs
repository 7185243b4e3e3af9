//! `assay run --on process`: a scenario on real nodes, in the time of the machine.

use crate::{args::Backend, failure::Failure, files, live::RunLine, revision::revision};
use assay_scenarios::Scenario;
use assay_sim::run::Played;
use assay_testnet::live::{self, Options};
use std::{path::Path, process::Command};

/// The image that containers are made from.
const IMAGE: &str = "assay-node:local";

/// Plays a scenario on processes or containers, with a line of progress.
pub fn play(scenario: &Scenario, seed: u64, on: Backend, out: &Path) -> Result<Played, Failure> {
    match on {
        Backend::Compose => live::check_containers(scenario, seed)?,
        Backend::Sim | Backend::Process => live::check_processes(scenario, seed)?,
    }
    let program = assay_testnet::program()?;
    if on == Backend::Compose {
        build_image(&program)?;
    }
    let folder = live::fresh(out)?;
    let reproduce = format!("{} --on {}", files::reproduce(scenario, seed), on.name());
    let options = Options { git_rev: revision(), reproduce };
    let line = RunLine::new(scenario.duration);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Infrastructure(format!("no threads: {error}")))?;
    let played = runtime.block_on(async {
        let mut show = |progress: &_| line.show(progress);
        match on {
            Backend::Compose => live::on_containers(scenario, seed, IMAGE, &folder, options, &mut show).await,
            Backend::Sim | Backend::Process => {
                live::on_processes(scenario, seed, program, &folder, options, &mut show).await
            }
        }
    });
    line.finish();
    Ok(played?)
}

/// Builds the image of the node's program; the engine knows when nothing has changed.
fn build_image(program: &Path) -> Result<(), Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testnet/image/build");
    let built = Command::new(&script).arg("--binary").arg(program).args(["--tag", IMAGE]).output();
    let built = built.map_err(|error| Failure::Infrastructure(format!("{}: {error}", script.display())))?;
    if built.status.success() {
        return Ok(());
    }
    Err(Failure::Infrastructure(String::from_utf8_lossy(&built.stderr).trim().to_owned()))
}
