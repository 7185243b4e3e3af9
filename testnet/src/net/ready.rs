//! Waiting until nodes are well: they answer, are ready, and have heard of each other.

use super::{ASK_MAX, Net, error::NetError, process_id::Condition};
use crate::POLL;
use assay_node::{
    api::{
        Client,
        model::{ChainInfo, HealthStatus},
    },
    types::Height,
};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How long a whole net may take until it is ready.
pub const READY_MAX: Duration = Duration::from_secs(60);

/// In a net of so many nodes at most, each must be connected to all others; in a larger one, to somebody.
const FEW: usize = 5;

/// What a node must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants {
    /// Peers, at least.
    pub peers: usize,
    /// The head's height, at least.
    pub height: Height,
}

impl Wants {
    /// What a node must be when `others` run beside it.
    pub(crate) fn beside(others: usize) -> Self {
        let peers = if others < FEW { others } else { 1 };
        Self { peers, height: Height(0) }
    }
}

impl Net {
    /// Waits until node `n` is well, `bound` at most.
    ///
    /// # Errors
    /// As [`Net::wait_all_well`].
    pub(crate) async fn wait_well(&self, n: usize, wants: Wants, bound: Duration) -> Result<ChainInfo, NetError> {
        let mut found = self.wait_all_well(&[n], wants, bound, &mut |_| {}).await?;
        Ok(found.pop().expect("one node was asked"))
    }

    /// Waits until all of `nodes` are well, `bound` at most for all together. `tell` hears how many are.
    ///
    /// # Errors
    /// [`NetError::Ended`] as soon as one of their processes ends, [`NetError::TooLate`] after `bound`.
    pub(crate) async fn wait_all_well(
        &self,
        nodes: &[usize],
        wants: Wants,
        bound: Duration,
        tell: &mut dyn FnMut(usize),
    ) -> Result<Vec<ChainInfo>, NetError> {
        let deadline = Instant::now() + bound;
        let clients: Vec<_> = nodes.iter().map(|n| self.client(*n)).collect();
        let mut found: Vec<Option<ChainInfo>> = vec![None; nodes.len()];
        loop {
            let mut last = None;
            for (n, (client, found)) in nodes.iter().zip(clients.iter().zip(&mut found)) {
                let node = &self.state.nodes[*n];
                if self.condition(*n) == Condition::Gone {
                    return Err(NetError::Ended { node: node.name.clone(), log: self.last_words(*n) });
                }
                if found.is_none() {
                    // Whoever does not answer takes no time from the others once the bound is over.
                    let until = deadline.max(Instant::now() + POLL);
                    match timeout_at(until, ask(client, wants)).await {
                        Ok(Ok(info)) => *found = Some(info),
                        Ok(Err(lacks)) => last = Some((node, lacks)),
                        Err(_late) => last = Some((node, "no answer".to_owned())),
                    }
                }
            }
            tell(found.iter().flatten().count());
            let Some((node, last)) = last else { return Ok(found.into_iter().flatten().collect()) };
            if Instant::now() > deadline {
                return Err(NetError::TooLate { what: format!("{} ready", node.name), bound, last });
            }
            sleep(POLL).await;
        }
    }

    /// Nodes other than `n` that run.
    pub(crate) fn others_running(&self, n: usize) -> usize {
        self.running().into_iter().filter(|other| *other != n).count()
    }
}

/// The node's place in the chain when it is well, else what it lacks.
async fn ask(client: &Client, wants: Wants) -> Result<ChainInfo, String> {
    let (status, health) = client.health("/health/ready", ASK_MAX).await.map_err(|error| error.to_string())?;
    if !status.is_success() || health.status != HealthStatus::Ok {
        let bad = health.checks.iter().filter(|(_, check)| check.status != HealthStatus::Ok);
        let bad: Vec<_> = bad.map(|(name, check)| format!("{name}: {}", check.detail)).collect();
        return Err(bad.join(", "));
    }
    let info = client.info(ASK_MAX).await.map_err(|error| error.to_string())?;
    if info.peers < wants.peers {
        return Err(format!("{} of {} peers", info.peers, wants.peers));
    }
    if info.head.height < wants.height {
        return Err(format!("height {}, and {} was expected", info.head.height, wants.height));
    }
    Ok(info)
}
