//! What live runs that were killed have left behind: mounted volumes, containers and their networks. Their processes end
//! with whoever started them.

use super::{
    compose::{FOLDER_LABEL, LABEL},
    engine::Engine,
    folder::{around, is_abandoned, proc},
    volume,
};
use crate::TestnetError;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Something that is left over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum LiveLeftover {
    /// A volume that is mounted.
    Volume {
        /// Where.
        at: PathBuf,
    },
    /// The containers and networks of a run.
    Containers {
        /// Their project.
        project: String,
        /// The run's folder.
        folder: PathBuf,
    },
}

impl LiveLeftover {
    /// Takes it away. Files stay.
    ///
    /// # Errors
    /// When the system or the engine refuses.
    pub async fn end(&self) -> Result<(), TestnetError> {
        match self {
            Self::Volume { at } => volume::take_away(at),
            Self::Containers { project, .. } => {
                let engine = Engine::find().await?;
                let of_it = format!("label=com.docker.compose.project={project}");
                for id in engine.docker(&["ps", "-aq", "--filter", &of_it]).await?.lines() {
                    engine.docker(&["rm", "-f", id]).await?;
                }
                let own = format!("label={LABEL}={project}");
                for filter in [&of_it, &own] {
                    for id in engine.docker(&["network", "ls", "-q", "--filter", filter]).await?.lines() {
                        engine.docker(&["network", "rm", id]).await?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Everything of this machine that is of a live run which nobody plays any more. Where there is no container engine, there are
/// no containers.
///
/// # Errors
/// When the system cannot be asked.
pub async fn live_leftovers() -> Result<Vec<LiveLeftover>, TestnetError> {
    let mounts = proc("self/mounts").map_err(TestnetError::system("cannot read /proc/self/mounts"))?;
    let mut found: Vec<_> = volumes(&mounts).into_iter().map(|at| LiveLeftover::Volume { at }).collect();
    let Ok(engine) = Engine::find().await else { return Ok(found) };
    let form = format!("{{{{.Label \"{LABEL}\"}}}}\t{{{{.Label \"{FOLDER_LABEL}\"}}}}");
    let listed = engine.docker(&["ps", "-a", "--filter", &format!("label={LABEL}"), "--format", &form]).await?;
    let projects: BTreeMap<&str, &str> = listed.lines().filter_map(|line| line.split_once('\t')).collect();
    for (project, folder) in projects {
        let folder = PathBuf::from(folder);
        // A folder that is gone is nobody's either.
        if is_abandoned(&folder) || !folder.exists() {
            found.push(LiveLeftover::Containers { project: project.to_owned(), folder });
        }
    }
    Ok(found)
}

/// The mount points of volumes of runs that nobody plays any more, in the form of `/proc/self/mounts`.
fn volumes(mounts: &str) -> Vec<PathBuf> {
    let points = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        words.next().filter(|device| device.starts_with("/dev/loop"))?;
        Some(Path::new(words.next()?))
    });
    points.filter(|at| around(at).is_some_and(is_abandoned)).map(Path::to_owned).collect()
}
