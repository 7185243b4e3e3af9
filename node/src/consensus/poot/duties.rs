//! What an operator does to get its credits. Pure.
//!
//! When a period is over it says that it was up and which chain it has, and asks its peers, one after the other, to be its
//! witness, until one has been for each task that needs it or the next period is over.

use super::Answer;
use crate::{
    crypto::Hash,
    types::{Height, Period, Task, TaskProof},
};
use libp2p::PeerId;
use std::collections::BTreeSet;

/// Time between two questions, in milliseconds.
pub const ASK_INTERVAL_MS: u64 = 1_000;
/// Peers that are asked in a period, at most.
pub const ASKED_MAX: usize = 16;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Show this in a transaction.
    Prove(TaskProof),
    /// Ask this peer to be the witness of a period.
    Ask(PeerId, Period),
}

/// How far it is with them.
#[derive(Debug, Default)]
pub struct Duties {
    period: Option<Period>,
    /// Of `period`: whether there is a witness for each.
    storage: bool,
    relay: bool,
    asked: BTreeSet<PeerId>,
    next_ask_ms: u64,
}

impl Duties {
    /// What is to be done at `elapsed_ms`, by a clock that never steps. `over` is the last period that is over, and `last` its
    /// last block, if it has one.
    pub fn due(
        &mut self,
        over: Period,
        last: Option<(Height, Hash)>,
        peers: impl IntoIterator<Item = PeerId>,
        elapsed_ms: u64,
    ) -> Vec<Duty> {
        let mut due = Vec::new();
        if self.period != Some(over) {
            *self = Self { period: Some(over), ..Self::default() };
            let validation = last.map(|(height, block)| Task::Validation { height, block });
            let tasks = [Task::Uptime].into_iter().chain(validation);
            due.extend(tasks.map(|task| Duty::Prove(TaskProof { period: over, task })));
        }
        let wants = last.is_some() && !(self.storage && self.relay) && self.asked.len() < ASKED_MAX;
        if wants
            && elapsed_ms >= self.next_ask_ms
            && let Some(peer) = turned(peers, over).into_iter().find(|peer| !self.asked.contains(peer))
        {
            self.asked.insert(peer);
            self.next_ask_ms = elapsed_ms + ASK_INTERVAL_MS;
            due.push(Duty::Ask(peer, over));
        }
        due
    }

    /// A peer that was asked has said something. Gives what can be shown now.
    pub fn on_answer(&mut self, peer: &PeerId, answer: &Answer) -> Vec<TaskProof> {
        let Some(period) = self.period.filter(|_| self.asked.contains(peer)) else { return Vec::new() };
        let storage = answer.storage.filter(|_| !self.storage).map(|witness| Task::Storage { witness });
        let relay = answer.relay.filter(|_| !self.relay).map(|(megabytes, witness)| Task::Relay { megabytes, witness });
        self.storage |= storage.is_some();
        self.relay |= relay.is_some();
        storage.into_iter().chain(relay).map(|task| TaskProof { period, task }).collect()
    }
}

/// Begins with another peer in each period: not all of many peers are operators, and nobody is to be the witness of everybody.
fn turned(peers: impl IntoIterator<Item = PeerId>, period: Period) -> Vec<PeerId> {
    let mut peers: Vec<_> = peers.into_iter().collect();
    let first = period.0.checked_rem(peers.len() as u64).unwrap_or(0);
    peers.rotate_left(first as usize);
    peers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::{Address, Signature},
        types::Witness,
    };

    fn peers() -> Vec<PeerId> {
        let key = |n: u8| libp2p::identity::Keypair::ed25519_from_bytes([n; 32]).expect("32 bytes are a key");
        (1..=3).map(|n| key(n).public().to_peer_id()).collect()
    }

    const LAST: Option<(Height, Hash)> = Some((Height(9), Hash([9; 32])));

    fn witness() -> Witness {
        Witness { operator: Address([1; 20]), signature: Signature([2; 64]) }
    }

    #[test]
    fn a_period_is_shown_once_and_peers_are_asked_in_turn() {
        let (mut duties, peers) = (Duties::default(), peers());
        let due = duties.due(Period(5), LAST, peers.clone(), 1000);
        let proof = |task| Duty::Prove(TaskProof { period: Period(5), task });
        let (height, block) = LAST.expect("there is one");
        let first = [proof(Task::Uptime), proof(Task::Validation { height, block }), Duty::Ask(peers[2], Period(5))];
        assert_eq!(due, first, "the sixth period begins with the third of three");
        assert_eq!(duties.due(Period(5), LAST, peers.clone(), 1999), []);
        assert_eq!(duties.due(Period(5), LAST, peers.clone(), 2000), [Duty::Ask(peers[0], Period(5))]);
        assert_eq!(duties.due(Period(5), LAST, peers.clone(), 3000), [Duty::Ask(peers[1], Period(5))]);
        assert_eq!(duties.due(Period(5), LAST, peers.clone(), 9000), [], "nobody is left");
        assert_eq!(duties.due(Period(6), None, peers, 9000).len(), 1, "a period without blocks has its uptime only");
    }

    #[test]
    fn each_task_needs_one_witness() {
        let (mut duties, peers) = (Duties::default(), peers());
        let stranger = duties.on_answer(&peers[0], &Answer { storage: Some(witness()), relay: None });
        assert_eq!(stranger, [], "it was not asked");
        duties.due(Period(5), LAST, peers.clone(), 1000);
        let storage = duties.on_answer(&peers[2], &Answer { storage: Some(witness()), relay: None });
        assert_eq!(storage.len(), 1);
        duties.due(Period(5), LAST, peers.clone(), 2000);
        let both = Answer { storage: Some(witness()), relay: Some((3, witness())) };
        let relay = duties.on_answer(&peers[0], &both);
        let expected = Task::Relay { megabytes: 3, witness: witness() };
        assert_eq!(relay, [TaskProof { period: Period(5), task: expected }], "storage was shown before");
        assert_eq!(duties.due(Period(5), LAST, peers, 3000), [], "all is shown");
        assert_eq!(duties.due(Period(6), LAST, [], 4000).len(), 2, "without peers there are no witnesses");
    }
}
