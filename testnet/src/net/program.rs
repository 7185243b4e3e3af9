//! Asking a node's own program, which is of the release that its database is of.

use super::{error::NetError, state::NodeState};
use crate::process::node_variables;
use serde::de::DeserializeOwned;
use std::{ffi::OsStr, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// Bytes of what it says that an error carries.
const SAID_MAX: usize = 2000;

/// Runs the program of `node` with `args` and gives what it writes to standard output. `what` names it in errors.
///
/// # Errors
/// [`NetError::Program`] when it ends with an error or not within `bound`, or when the system refuses.
pub(crate) async fn output(
    node: &NodeState,
    what: &str,
    args: &[&OsStr],
    bound: Duration,
) -> Result<Vec<u8>, NetError> {
    let what = format!("{}: {what}", node.name);
    let mut command = Command::new(&node.program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for name in node_variables() {
        command.env_remove(name);
    }
    let failed = NetError::system(format!("cannot run {}", node.program.display()));
    let done = match timeout(bound, command.output()).await {
        Ok(done) => done.map_err(failed)?,
        Err(_late) => {
            let said = format!("it did not end within {} s and was killed; try again", bound.as_secs());
            return Err(NetError::Program { what, said });
        }
    };
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let said: String = said.trim().trim_start_matches("assay-node: ").chars().take(SAID_MAX).collect();
    let said = if said.is_empty() { format!("it ended with {}", done.status) } else { said };
    Err(NetError::Program { what, said })
}

/// As [`output`], of JSON.
///
/// # Errors
/// As [`output`], and when it writes something else.
pub(crate) async fn json<T: DeserializeOwned>(
    node: &NodeState,
    what: &str,
    args: &[&OsStr],
    bound: Duration,
) -> Result<T, NetError> {
    let bytes = output(node, what, args, bound).await?;
    serde_json::from_slice(&bytes).map_err(|error| NetError::Program {
        what: format!("{}: {what}", node.name),
        said: format!("its answer is not understood: {error}; is {} of this release?", node.program.display()),
    })
}
