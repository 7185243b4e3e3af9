//! Starting and ending the processes of a net.

use super::{
    Net,
    error::NetError,
    process_id::{Condition, ProcessId},
};
use crate::{POLL, STOP_MAX, process};
use rustix::process::{Signal, setsid};
use serde::Serialize;
use std::{os::unix::process::CommandExt, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// How long the system may take from a kill to the end of the process: one that waits for a disk ends when that answers.
const GONE_MAX: Duration = Duration::from_secs(5);

/// How long a node may take from its start until it is ready, when other nodes run.
pub const STARTED_MAX: Duration = Duration::from_secs(60);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// In order, after SIGTERM.
    Stopped,
    /// By SIGKILL: it was told to, or did not end in order in time.
    Killed,
    /// It had ended by itself before.
    Gone,
}

impl Net {
    /// How the process of node `n` is; gone when it has none.
    pub fn condition(&self, n: usize) -> Condition {
        self.state.nodes[n].process.as_ref().map_or(Condition::Gone, ProcessId::condition)
    }

    /// Starts node `n` with its program. It gets a session of its own, so no terminal takes it along.
    ///
    /// # Errors
    /// [`NetError::NodeRuns`], or when the system refuses.
    pub(crate) fn spawn(&mut self, n: usize) -> Result<(), NetError> {
        if self.condition(n) != Condition::Gone {
            return Err(NetError::NodeRuns { node: self.state.nodes[n].name.clone() });
        }
        let node = &mut self.state.nodes[n];
        node.process = Some(start(&node.program, &node.home, &node.log)?);
        self.save()
    }

    /// Ends the process of node `n`, in order if `how` is SIGTERM: after [`STOP_MAX`] it is killed.
    ///
    /// # Errors
    /// When the system refuses, or the process does not even end by SIGKILL.
    pub(crate) async fn end(&mut self, n: usize, how: Signal) -> Result<Ending, NetError> {
        let node = &self.state.nodes[n];
        let ending = match &node.process {
            Some(process) => end(process, &node.name, how).await?,
            None => Ending::Gone,
        };
        self.state.nodes[n].process = None;
        self.save()?;
        Ok(ending)
    }

    /// Sends a signal that ends nothing.
    ///
    /// # Errors
    /// [`NetError::NodeStopped`], or when the system refuses.
    pub(crate) fn signal(&self, n: usize, signal: Signal) -> Result<(), NetError> {
        let node = &self.state.nodes[n];
        let stopped = || NetError::NodeStopped { node: node.name.clone() };
        let process = node.process.as_ref().ok_or_else(stopped)?;
        let was_there = process.signal(signal).map_err(NetError::system(format!("cannot signal {}", node.name)))?;
        if was_there { Ok(()) } else { Err(stopped()) }
    }
}

/// Starts `program` as the node of `home`.
fn start(program: &Path, home: &Path, log: &Path) -> Result<ProcessId, NetError> {
    let failed = || NetError::system(format!("cannot start {}", program.display()));
    let mut command = process::command(program, &[], home, log)?;
    // SAFETY: between fork and exec only what is safe in a signal handler may be called. This is one system call, and it
    // neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(|| setsid().map(drop).map_err(Into::into));
    }
    // Its end is noticed by its number: `ProcessId::condition` takes leave of it.
    let child = command.spawn().map_err(failed())?;
    ProcessId::of(child.id()).map_err(failed())
}

/// Ends a process.
///
/// # Errors
/// When the system refuses, or it does not end.
pub(crate) async fn end(process: &ProcessId, name: &str, how: Signal) -> Result<Ending, NetError> {
    let send = |signal| process.signal(signal).map_err(NetError::system(format!("cannot signal {name}")));
    if !send(how)? {
        return Ok(Ending::Gone);
    }
    // One that is paused would never hear of a SIGTERM.
    send(Signal::CONT)?;
    if how != Signal::KILL {
        if is_gone_within(process, STOP_MAX).await {
            return Ok(Ending::Stopped);
        }
        send(Signal::KILL)?;
    }
    match is_gone_within(process, GONE_MAX).await {
        true => Ok(Ending::Killed),
        false => Err(NetError::Left(format!("process {} of {name} does not end, not even by SIGKILL", process.pid))),
    }
}

async fn is_gone_within(process: &ProcessId, bound: Duration) -> bool {
    let start = Instant::now();
    while process.condition() != Condition::Gone {
        if start.elapsed() > bound {
            return false;
        }
        sleep(POLL).await;
    }
    true
}
