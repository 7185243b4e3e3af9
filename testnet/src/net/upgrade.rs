//! Another program, one node after the other; and the way back.
//!
//! A node is stopped in order, started with the new program, and must then be ready, connected, and have a higher head than
//! before, all within a bound. If it is not, it and the nodes upgraded before it go back to the program they had, the last one
//! first.

use super::{Net, error::NetError, nodes::STARTED_MAX, process_id::Condition, ready::Wants, up::executable};
use assay_node::types::Height;
use rustix::process::Signal;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};
use tokio::time::Instant;

/// A node with another program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Upgraded {
    /// Its name.
    pub node: String,
    /// The program it had.
    pub from: PathBuf,
    /// The program it has.
    pub to: PathBuf,
    /// Its release now.
    pub version: String,
    /// From its stop until it was ready and had a new block.
    pub seconds: f64,
    /// The height of its head then.
    pub height: Height,
}

impl Net {
    /// Upgrades all nodes to `program`. `tell` hears of each that is well. When `interrupted` ends first, all goes back.
    ///
    /// # Errors
    /// [`NetError::Usage`] when it is no program, [`NetError::NodeStopped`] when a node does not run: nothing was changed.
    /// [`NetError::RolledBack`] when a node was not well within `health_within`: all nodes have their old program again, or the
    /// error says which one does not run with it.
    pub async fn upgrade(
        &mut self,
        program: &Path,
        health_within: Duration,
        interrupted: impl Future<Output = ()>,
        tell: &mut dyn FnMut(&Upgraded),
    ) -> Result<Vec<Upgraded>, NetError> {
        let program = executable(program)?;
        for (n, node) in self.state.nodes.iter().enumerate() {
            if self.condition(n) != Condition::Running {
                return Err(NetError::NodeStopped { node: node.name.clone() });
            }
        }
        let mut interrupted = pin!(interrupted);
        let mut upgraded: Vec<Upgraded> = Vec::new();
        for n in 0..self.state.nodes.len() {
            let from = self.state.nodes[n].program.clone();
            let done = tokio::select! {
                biased;
                () = &mut interrupted => Err(NetError::Interrupted),
                done = self.upgrade_one(n, &program, health_within) => done,
            };
            match done {
                Ok(done) => {
                    tell(&done);
                    upgraded.push(done);
                }
                Err(cause) => {
                    let node = self.state.nodes[n].name.clone();
                    let mut back: Vec<_> = upgraded.into_iter().map(|done| done.from).collect();
                    back.push(from);
                    let undone = self.roll_back(back).await;
                    return Err(NetError::RolledBack { node, cause: Box::new(cause), undone });
                }
            }
        }
        self.state.program = program;
        self.save()?;
        Ok(upgraded)
    }

    async fn upgrade_one(&mut self, n: usize, program: &Path, bound: Duration) -> Result<Upgraded, NetError> {
        let begun = Instant::now();
        let from = self.state.nodes[n].program.clone();
        let refused = |cause| NetError::Refused { what: "asking for the head before the upgrade".into(), cause };
        let before = self.client(n).head(super::ASK_MAX).await.map_err(refused)?.height;
        self.end(n, Signal::TERM).await?;
        self.state.nodes[n].program = program.to_owned();
        self.spawn(n)?;
        let wants = Wants { height: before.next(), ..Wants::beside(self.others_running(n)) };
        let info = self.wait_well(n, wants, bound).await?;
        Ok(Upgraded {
            node: self.state.nodes[n].name.clone(),
            from,
            to: program.to_owned(),
            version: info.version,
            seconds: (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            height: info.head.height,
        })
    }

    /// Gives the first nodes these programs again, the last one first, and says how that went.
    async fn roll_back(&mut self, programs: Vec<PathBuf>) -> String {
        let mut said = Vec::new();
        for (n, program) in programs.into_iter().enumerate().rev() {
            let name = self.state.nodes[n].name.clone();
            match self.roll_back_one(n, program).await {
                Ok(height) => said.push(format!("{name} runs its old program again, at height {height}")),
                Err(error) => said.push(format!("{name} does not run its old program either: {error}")),
            }
        }
        said.join("\n")
    }

    async fn roll_back_one(&mut self, n: usize, program: PathBuf) -> Result<Height, NetError> {
        self.end(n, Signal::TERM).await?;
        self.state.nodes[n].program = program;
        self.spawn(n)?;
        let wants = Wants::beside(self.others_running(n));
        Ok(self.wait_well(n, wants, STARTED_MAX).await?.head.height)
    }
}
