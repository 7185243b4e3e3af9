//! Scenarios on real processes: the same file, the same judgement and the same report as in the simulator.
//!
//! | a scenario says | processes | containers |
//! |---|---|---|
//! | `partition`, `one_way`, `isolate` | relays between peers hold the bytes back | packet filters in the containers' networks |
//! | `link` | relays delay; loss is refused | refused |
//! | `kill`, `restart`, `pause` | signals | signals |
//! | `power_cut` | as root: its disk is shut down with nothing flushed, its links fall silent, then it is killed | the same |
//! | `disk_full` | as root: a disk of its own is filled | the same |
//! | `bit_rot`, `lose_volume`, `backup`, `schema_newer` | its files | the same |
//! | `disk_error`, `fsync_fails`, `disk_slow`, `misdirected_write`, `clock`, `lie` | refused | refused |
//!
//! What a back end cannot do is told with its line before anything starts ([`refusal`]). Users and the harness see the nodes
//! through their APIs alone, so the states that nodes store are not read, and a run has no trace.

mod backend;
mod compose;
mod engine;
mod eye;
mod faults;
mod folder;
mod leftovers;
mod machine;
mod power;
mod process;
mod refusal;
mod relay;
mod rot;
mod run;
mod volume;

pub use folder::fresh;
pub use leftovers::{LiveLeftover, live_leftovers};
pub use run::Options;

use crate::{Plan, TestnetError};
use assay_node::native::seams::now;
use assay_scenarios::Scenario;
use assay_sim::{
    cluster::Spec,
    run::{Played, Progress},
};
use backend::Backend;
use compose::LiveContainers;
use process::LiveProcesses;
use relay::Latency;
use std::path::{Path, PathBuf};

/// Whether `scenario` can be played on processes of this machine.
///
/// # Errors
/// [`TestnetError::CannotDo`] for the first thing that cannot be done, with its line.
pub fn check_processes(scenario: &Scenario, seed: u64) -> Result<(), TestnetError> {
    refusal::check::<LiveProcesses>(scenario, &scenario.plan(seed))
}

/// Whether `scenario` can be played on containers of this machine.
///
/// # Errors
/// As [`check_processes`].
pub fn check_containers(scenario: &Scenario, seed: u64) -> Result<(), TestnetError> {
    refusal::check::<LiveContainers>(scenario, &scenario.plan(seed))
}

/// How a live run is laid out.
struct Layout {
    spec: Spec,
    plan: Plan,
    /// Whether each node has a disk of its own.
    volumes: bool,
}

fn lay_out<B: Backend>(
    scenario: &Scenario,
    seed: u64,
    program: PathBuf,
    folder: &Path,
) -> Result<Layout, TestnetError> {
    let faults = scenario.plan(seed);
    refusal::check::<B>(scenario, &faults)?;
    let mut spec = Spec::new(scenario, seed);
    spec.genesis.timestamp = now();
    let plan = Plan {
        program,
        folder: folder.to_owned(),
        genesis: spec.genesis.clone(),
        nodes: spec.nodes,
        hash_rate: spec.hash_rate,
        accounts: (0..spec.nodes).map(|node| spec.proposer_secret(node)).collect(),
    };
    Ok(Layout { spec, plan, volumes: refusal::needs_volumes(&faults) })
}

async fn play<B: Backend>(
    scenario: &Scenario,
    spec: &Spec,
    cluster: B,
    options: Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Played, TestnetError> {
    let local = tokio::task::LocalSet::new();
    let played = local.run_until(run::run(scenario, spec, cluster, options, progress));
    tokio::select! {
        played = played => played,
        _interrupted = tokio::signal::ctrl_c() => Err(TestnetError::Interrupted),
    }
}

/// Plays `scenario` on processes of this machine. Their homes and logs go to `folder`, which must not exist, and stay there.
/// Must be called within a multi-threaded tokio runtime; Ctrl-C ends the run and all of its processes.
///
/// # Errors
/// [`TestnetError::CannotDo`] before anything is started, [`TestnetError::Interrupted`], or when the system refuses
/// something. A violated invariant is a verdict, not an error.
pub async fn on_processes(
    scenario: &Scenario,
    seed: u64,
    program: PathBuf,
    folder: &Path,
    options: Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Played, TestnetError> {
    let Layout { spec, plan, volumes } = lay_out::<LiveProcesses>(scenario, seed, program, folder)?;
    let latency = Latency { min: scenario.network.latency.min, max: scenario.network.latency.max };
    let cluster = LiveProcesses::create(&plan, latency, seed, volumes, |config| spec.tune(config)).await?;
    play(scenario, &spec, cluster, options, progress).await
}

/// Plays `scenario` on containers of `image`, which holds the node's program alone. As [`on_processes`], and without the
/// scenario's latencies: links between containers of one machine are as fast as that is.
///
/// # Errors
/// As [`on_processes`]; [`TestnetError::NoEngine`] where there is none.
pub async fn on_containers(
    scenario: &Scenario,
    seed: u64,
    image: &str,
    folder: &Path,
    options: Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Played, TestnetError> {
    let Layout { spec, plan, volumes } = lay_out::<LiveContainers>(scenario, seed, PathBuf::new(), folder)?;
    let cluster = LiveContainers::create(&plan, image, volumes, |config| spec.tune(config)).await?;
    play(scenario, &spec, cluster, options, progress).await
}
