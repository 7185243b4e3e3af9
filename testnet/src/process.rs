//! One node as a process.

use crate::{TestnetError, plan::Place};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long an orderly stop may take: what a node promises, and a little for a busy machine.
pub const STOP_MAX: Duration = Duration::from_secs(10);

/// Lines of a log that an error carries.
const LOG_LINES: usize = 20;

/// How a process ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// The end of its log.
    pub log: String,
}

/// A running `assay-node run`; killed when it is dropped, and when the thread that started it ends.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts the node of `place`, through other programs if there are any. Its log is appended to.
    pub(crate) fn start(program: &Path, through: &[String], place: &Place) -> Result<Self, TestnetError> {
        let mut command = command(program, through, place.home.path(), &place.log)?;
        // SAFETY: between fork and exec nothing is done but a system call.
        unsafe {
            // Whoever is killed takes its nodes along.
            command.pre_exec(|| Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let child = command.spawn().map_err(TestnetError::system(format!("cannot start {}", program.display())))?;
        Ok(Self { name: place.name.clone(), child })
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, with the end of its log; none while it runs.
    pub(crate) fn ended(&mut self, log: &Path) -> Result<Option<Ended>, TestnetError> {
        let status = self.child.try_wait().map_err(TestnetError::system(format!("cannot ask after {}", self.name)))?;
        Ok(status.map(|status| Ended { status, log: last_lines(log) }))
    }

    /// Fails when it has ended on its own, with the end of its log.
    pub(crate) fn check_running(&mut self, log: &Path) -> Result<(), TestnetError> {
        match self.ended(log)? {
            None => Ok(()),
            Some(Ended { status, log }) => Err(TestnetError::Ended { node: self.name.clone(), status, log }),
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), TestnetError> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has a number above 0");
        let failed = TestnetError::system(format!("cannot signal {}", self.name));
        kill_process(id, signal).map_err(|error| failed(error.into()))
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<(), TestnetError> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.map(drop).map_err(TestnetError::system(format!("cannot kill {}", self.name)))
    }

    /// Sends SIGTERM and waits for the end, [`STOP_MAX`] at most; then it is killed.
    ///
    /// # Errors
    /// [`TestnetError::TooLate`], or when the system refuses.
    pub async fn stop(mut self) -> Result<ExitStatus, TestnetError> {
        let what = format!("stopping {}", self.name);
        self.signal(Signal::TERM)?;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().map_err(TestnetError::system(what.clone()))? {
                return Ok(status);
            }
            if start.elapsed() > STOP_MAX {
                return Err(TestnetError::TooLate { what, bound: STOP_MAX, last: "it runs".into() });
            }
            sleep(crate::POLL).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `kill` or `stop` it has ended, and both calls find nothing to do.
        let _ended = self.child.kill();
        let _waited_for = self.child.wait();
    }
}

/// The command that runs the node of `home`, through other programs if there are any. Its log is appended to.
pub(crate) fn command(program: &Path, through: &[String], home: &Path, log: &Path) -> Result<Command, TestnetError> {
    let opened = OpenOptions::new().create(true).append(true).open(log);
    let opened = opened.map_err(TestnetError::system(format!("cannot write {}", log.display())))?;
    let mut command = match through {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    command.arg("run").arg("--home").arg(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(opened);
    for name in node_variables() {
        command.env_remove(name);
    }
    Ok(command)
}

/// The variables of this process that would be settings of a node: whoever runs the cluster did not mean them for its nodes.
pub(crate) fn node_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("ASSAY_"))
}

/// The end of a log; nothing when it cannot be read, because the error that carries it says more.
fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
