//! When a validator must hold its tongue: it does not know what it has signed.
//!
//! A database that was made anew, rebuilt or restored may lack ballots that its node has sent. If the node voted again at that
//! height it could contradict itself, for which it would be slashed, and a third of such nodes could fork the chain. It has
//! signed nothing for heights above the one after its old head, and its old head was agreed on, so its peers have it, or are
//! about to have it. So it follows in silence until the chain has left behind what its peers said when it asked.
//!
//! A chain that begins has nothing to contradict: all are at genesis. What is not covered: a node that loses its ballots of
//! the very first height, while all its peers are at genesis, cannot be told from one that starts for the first time.

use crate::{chain::Core, types::Height};
use std::time::Duration;
use tokio::time::Instant;

/// How long peers are listened to before their claims count.
pub const LISTEN: Duration = Duration::from_secs(5);
/// Blocks beyond the highest claim: one that a peer was about to have, one that this node may have voted on, one to spare.
pub const ABSTAIN_BLOCKS: u64 = 3;

/// Whether it is known what this node has signed.
#[derive(Debug)]
pub(super) enum Abstention {
    /// Yes.
    Sure,
    /// No: peers have been heard since then.
    Listening(Option<Instant>),
    /// No, and at this height it does not matter any more.
    Until(Height),
}

impl Abstention {
    pub fn new(is_unsure: bool) -> Self {
        if is_unsure { Self::Listening(None) } else { Self::Sure }
    }

    /// Whether the node may speak.
    pub fn is_sure(&self) -> bool {
        matches!(self, Self::Sure)
    }

    /// Looks again. Says whether the node may speak from now on, which is to be stored.
    pub fn review(&mut self, core: &Core, has_peers: bool, now: Instant) -> bool {
        let head = core.head().height;
        let claim = core.sync().best_claim().map(|(_, height)| height);
        match *self {
            Self::Sure => false,
            // A chain of one node has nobody to ask, and nobody to contradict it.
            Self::Listening(_) if !has_peers => self.end(),
            Self::Listening(None) => {
                if core.sync().has_heard() {
                    *self = Self::Listening(Some(now));
                }
                false
            }
            Self::Listening(Some(since)) if now.duration_since(since) < LISTEN => false,
            Self::Listening(Some(_)) => match claim {
                None => false,
                Some(Height(0)) if head == Height(0) => self.end(),
                Some(claim) => {
                    *self = Self::Until(Height(claim.max(head).0.saturating_add(ABSTAIN_BLOCKS)));
                    false
                }
            },
            Self::Until(height) => head >= height && self.end(),
        }
    }

    fn end(&mut self) -> bool {
        *self = Self::Sure;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{Settings, mempool::Limits, sync::Status, validation::Rules},
        crypto::{Address, Hash, Keypair},
        types::{Amount, Consensus, Genesis, TOKEN, Timestamp, Work},
    };
    use libp2p::PeerId;

    /// A core at genesis that a peer has told of a chain of this height.
    fn told(height: Height) -> Core {
        let mut genesis = Genesis {
            chain_id: "test".parse().expect("it is a chain id"),
            timestamp: Timestamp(0),
            params: Default::default(),
            accounts: [(Address([1; 20]), Amount(5))].into(),
            validators: [(Keypair::from_secret([1; 32]).public(), Amount(1000 * TOKEN.0))].into(),
            operators: Default::default(),
        };
        genesis.params.consensus = Consensus::Pos;
        let header = genesis.block(Hash::default()).header;
        let hash = header.hash();
        let settings = Settings { proposer: None, mempool: Limits::default() };
        let mut core = Core::new(Rules::of(&genesis), settings, hash, [(hash, header, Work(0))]);
        let peer = PeerId::random();
        core.set_elapsed(1);
        core.on_connected(peer);
        core.on_status(peer, Status { genesis: hash, head: Hash([1; 32]), height, work: Work(height.0.into()) });
        core
    }

    fn after_listening(core: &Core) -> Abstention {
        let (mut abstention, now) = (Abstention::new(true), Instant::now());
        assert!(!abstention.review(core, true, now));
        assert!(!abstention.review(core, true, now + LISTEN));
        abstention
    }

    #[test]
    fn it_ends_some_blocks_above_the_highest_claim() {
        assert!(matches!(after_listening(&told(Height(7))), Abstention::Until(Height(10))));
    }

    #[test]
    fn no_claim_is_too_high_to_be_heard() {
        assert!(matches!(after_listening(&told(Height(u64::MAX))), Abstention::Until(Height(u64::MAX))));
    }
}
