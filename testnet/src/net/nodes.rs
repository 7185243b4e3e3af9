//! Starting and ending the processes of a net.

use super::{
    Net,
    error::NetError,
    files::end_of,
    process_id::{Condition, ProcessId},
};
use crate::{POLL, STOP_MAX, process};
use rustix::process::{Signal, setsid};
use serde::Serialize;
use std::{fs, os::unix::process::CommandExt, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// How long the system may take from a kill to the end of the process: one that waits for a disk ends when that answers.
const GONE_MAX: Duration = Duration::from_secs(5);

/// How long a node may take from its start until it is ready, when other nodes run.
pub const STARTED_MAX: Duration = Duration::from_secs(60);

/// Lines of a log that an error carries, and bytes that are looked at for them.
const LAST_WORDS: usize = 20;
const LAST_WORDS_BYTES_MAX: u64 = 64 << 10;

/// How long the system may take to pause a process, or to let it go on.
const PAUSED_MAX: Duration = Duration::from_secs(5);

/// Whether a node is to be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paused {
    Yes,
    No,
}

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
        // A log that is not there yet begins now.
        self.log_starts.insert(n, fs::metadata(&node.log).map_or(0, |log| log.len()));
        node.process = Some(start(&node.program, &node.home, &node.log)?);
        self.save()
    }

    /// The last lines that node `n` has logged since it was started here, or before when it was started by another command.
    pub(crate) fn last_words(&self, n: usize) -> String {
        let log = &self.state.nodes[n].log;
        let from = self.log_starts.get(&n).copied().unwrap_or(0);
        // A log that cannot be read says nothing, and what it would have explained is told all the same.
        let bytes = end_of(log, LAST_WORDS_BYTES_MAX, from).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        match lines.len() {
            0 => format!("(nothing; see {})", log.display()),
            count => lines[count.saturating_sub(LAST_WORDS)..].join("\n"),
        }
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

    /// Pauses node `n` or lets it go on, and waits until it is `wanted`: the system stops the threads one after the other.
    ///
    /// # Errors
    /// [`NetError::NodeStopped`], [`NetError::TooLate`] after [`PAUSED_MAX`], or when the system refuses.
    pub(crate) async fn pause(&self, n: usize, wanted: Paused) -> Result<(), NetError> {
        let node = &self.state.nodes[n];
        let stopped = || NetError::NodeStopped { node: node.name.clone() };
        let process = node.process.as_ref().ok_or_else(stopped)?;
        let (signal, wanted) = match wanted {
            Paused::Yes => (Signal::STOP, Condition::Paused),
            Paused::No => (Signal::CONT, Condition::Running),
        };
        let was_there = process.signal(signal).map_err(NetError::system(format!("cannot signal {}", node.name)))?;
        if !was_there {
            return Err(stopped());
        }
        let start = Instant::now();
        loop {
            match process.condition() {
                condition if condition == wanted => return Ok(()),
                Condition::Gone => return Err(stopped()),
                condition if start.elapsed() > PAUSED_MAX => {
                    let what = format!("{} to become {wanted:?}", node.name);
                    return Err(NetError::TooLate { what, bound: PAUSED_MAX, last: format!("{condition:?}") });
                }
                _ => sleep(POLL).await,
            }
        }
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
