//! Ending a net, and seeing that it has ended.

use super::{
    Net,
    endpoints::is_taken,
    error::NetError,
    folder::{LATEST, remove},
    nodes::{Ending, end},
};
use crate::POLL;
use rustix::process::Signal;
use std::{fs, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long a port may stay in use after its process has ended.
const PORT_FREE_MAX: Duration = Duration::from_secs(3);

/// What becomes of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wipe {
    /// It stays, and `up` goes on with it.
    Keep,
    /// It is removed: data, keys and logs.
    Remove,
}

/// A net that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// Its nodes, and how each ended.
    pub nodes: Vec<(String, Ending)>,
}

impl Net {
    /// Ends all nodes in order, kills what does not end, and looks that no process and no port is left.
    ///
    /// # Errors
    /// [`NetError::Left`] when something is left; then nothing is removed.
    pub async fn down(mut self, wipe: Wipe) -> Result<Down, NetError> {
        let nodes = self.end_all(Signal::TERM).await?;
        self.ports_are_free().await?;
        if wipe == Wipe::Remove {
            if self.root.latest().as_deref() == Some(&self.state.name) {
                let link = self.root.path().join(LATEST);
                remove(&link).map_err(NetError::system(format!("cannot remove {}", link.display())))?;
            }
            let folder = &self.folder;
            fs::remove_dir_all(folder).map_err(NetError::system(format!("cannot remove {}", folder.display())))?;
        }
        Ok(Down { nodes })
    }

    /// Ends all nodes at the same time, and the net is not meant to run any more.
    ///
    /// # Errors
    /// The first that does not end; the others have.
    pub(crate) async fn end_all(&mut self, how: Signal) -> Result<Vec<(String, Ending)>, NetError> {
        self.state.running = false;
        self.save()?;
        let mut ends = JoinSet::new();
        for (n, node) in self.state.nodes.iter().enumerate() {
            if let Some(process) = node.process.clone() {
                let name = node.name.clone();
                ends.spawn(async move { (n, end(&process, &name, how).await) });
            }
        }
        let mut nodes: Vec<_> = self.state.nodes.iter().map(|node| (node.name.clone(), Ending::Gone)).collect();
        let mut failed = None;
        while let Some(ended) = ends.join_next().await {
            match ended.expect("nobody aborts it, and it does not panic") {
                (n, Ok(ending)) => {
                    nodes[n].1 = ending;
                    self.state.nodes[n].process = None;
                }
                (_, Err(error)) => failed = Some(error),
            }
        }
        self.save()?;
        failed.map_or(Ok(nodes), Err)
    }

    async fn ports_are_free(&self) -> Result<(), NetError> {
        let start = Instant::now();
        let addresses = self.state.nodes.iter().flat_map(|node| [(node, node.api), (node, node.p2p)]);
        for (node, address) in addresses {
            while is_taken(address) {
                if start.elapsed() > PORT_FREE_MAX {
                    return Err(NetError::Left(format!("{address} of {} is still in use", node.name)));
                }
                sleep(POLL).await;
            }
        }
        Ok(())
    }
}
