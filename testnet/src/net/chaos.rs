//! What can be done to nodes.

use super::{
    Net,
    error::NetError,
    nodes::{Ending, Paused, STARTED_MAX},
    ready::Wants,
};
use rustix::process::Signal;
use serde::Serialize;
use std::fmt;
use tokio::time::Instant;

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// SIGKILL: it gets no chance to end in order.
    Kill,
    /// SIGTERM, and SIGKILL when that does not end it.
    Stop,
    /// SIGSTOP: it is there and does nothing.
    Pause,
    /// SIGCONT after a pause.
    Resume,
    /// Stop and start.
    Restart,
    /// Its process is started, and waited for until it is ready.
    Start,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// To which node.
    pub node: String,
    /// What was asked for.
    pub deed: Deed,
    /// What came of it.
    pub outcome: String,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.outcome)
    }
}

impl Net {
    /// Does it to node `n`.
    ///
    /// # Errors
    /// [`NetError::NodeStopped`] or [`NetError::NodeRuns`] when there is nothing to do it to, and what a start can end with.
    pub async fn chaos(&mut self, n: usize, deed: Deed) -> Result<Done, NetError> {
        let node = self.state.nodes[n].name.clone();
        let pid = self.state.nodes[n].process.as_ref().map_or(0, |process| process.pid);
        let outcome = match deed {
            Deed::Kill => {
                self.end_running(n, Signal::KILL).await?;
                format!("killed, as kill -9 does; it was process {pid}")
            }
            Deed::Stop => ended(self.end_running(n, Signal::TERM).await?, pid),
            Deed::Pause => {
                self.pause(n, Paused::Yes).await?;
                format!("paused; process {pid} is there and does nothing")
            }
            Deed::Resume => {
                self.pause(n, Paused::No).await?;
                format!("goes on; process {pid}")
            }
            Deed::Restart => {
                let ended = ended(self.end_running(n, Signal::TERM).await?, pid);
                format!("{ended}; {}", self.start_well(n).await?)
            }
            Deed::Start => self.start_well(n).await?,
        };
        Ok(Done { node, deed, outcome })
    }

    async fn end_running(&mut self, n: usize, how: Signal) -> Result<Ending, NetError> {
        match self.end(n, how).await? {
            Ending::Gone => Err(NetError::NodeStopped { node: self.state.nodes[n].name.clone() }),
            ending => Ok(ending),
        }
    }

    /// Starts node `n`, waits until it is ready, [`STARTED_MAX`] at most, and says how it is.
    pub(crate) async fn start_well(&mut self, n: usize) -> Result<String, NetError> {
        let begun = Instant::now();
        self.spawn(n)?;
        if !self.state.running {
            // Whoever starts a node of a net that was down means it to run.
            self.state.running = true;
            self.save()?;
        }
        let others = self.others_running(n);
        // Alone it has nobody to hear from, and is never ready.
        if others == 0 && self.state.nodes.len() > 1 {
            let pid = self.state.nodes[n].process.as_ref().map_or(0, |process| process.pid);
            return Ok(format!("started as process {pid}; no other node runs, so it is not waited for"));
        }
        let info = self.wait_well(n, Wants::beside(others), STARTED_MAX).await?;
        let (seconds, height) = (begun.elapsed().as_secs_f64(), info.head.height);
        let pid = self.state.nodes[n].process.as_ref().map_or(0, |process| process.pid);
        let peers = if info.peers == 1 { "1 peer".to_owned() } else { format!("{} peers", info.peers) };
        Ok(format!("started as process {pid}, ready in {seconds:.1} s with {peers} at height {height}"))
    }
}

fn ended(ending: Ending, pid: u32) -> String {
    match ending {
        Ending::Stopped => format!("stopped in order; it was process {pid}"),
        Ending::Killed => format!("did not stop in order in time and was killed; it was process {pid}"),
        Ending::Gone => "had ended".to_owned(),
    }
}
