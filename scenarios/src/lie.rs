//! What a lying node does.

use crate::{Consensus, NodeIndex};
use std::fmt;

/// A lie and its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lie {
    /// What is done.
    pub kind: LieKind,
    /// Whom it is about; with [`LieKind::Eclipse`] and [`LieKind::Twin`], and only then.
    pub victim: Option<NodeIndex>,
    /// The liar's hash rate, in hash rates of one node, where it mines.
    pub power: u32,
}

/// What a liar does to its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LieKind {
    /// Publishes blocks that are right in all but the state root.
    InvalidStateRoot,
    /// Publishes transactions, and blocks with such, whose signatures are wrong.
    InvalidSignature,
    /// Sends bytes that mean nothing, by gossip, as requests and as answers.
    Malformed,
    /// Sends old blocks, old transactions and an old status again and again.
    StaleReplay,
    /// Publishes transactions that no block can hold, as fast as it can.
    TransactionFlood,
    /// Publishes blocks that cost nothing, as fast as it can: without work, or on parents that do not exist.
    BlockFlood,
    /// Mines for itself and tells of it, and gives the blocks to nobody, or half of them.
    Withhold,
    /// Mines for itself in secret, and publishes the whole branch if it is the heavier one.
    SecretChain,
    /// Opens streams and connections of the peer protocol and sends a byte at a time.
    SlowSync,
    /// Opens connections of the API and sends a byte at a time.
    SlowRest,
    /// Takes all of a node's places for connections, with many names, and shows it a chain that has ended.
    Eclipse,
    /// Publishes blocks whose timestamps are at the bounds of what is allowed, and beyond.
    FalseTime,
    /// Tells of peers and addresses that do not exist, or are those of others.
    PoisonAddresses,
    /// Casts each vote twice, for two things. Validators only, as all that follow.
    DoubleVote,
    /// Proposes two blocks in one round, or leads twice on one block.
    TwoProposals,
    /// Votes for every proposal, whatever it has voted for before.
    Forgetful,
    /// Votes for its own blocks alone, and proposes a new one whenever it is its turn, whatever others have agreed on nearly.
    OwnBlocks,
    /// Runs a second node with another one's key, which is the victim.
    Twin,
    /// Claims to be ahead, with blocks that it has agreed on with itself.
    FalseCertificate,
    /// Shows tasks that it has not done. Operators only.
    FalseProofs,
}

impl LieKind {
    /// Each with its word.
    pub const WORDS: [(&'static str, LieKind); 20] = [
        ("invalid-state-root", LieKind::InvalidStateRoot),
        ("invalid-signature", LieKind::InvalidSignature),
        ("malformed", LieKind::Malformed),
        ("stale-replay", LieKind::StaleReplay),
        ("transaction-flood", LieKind::TransactionFlood),
        ("block-flood", LieKind::BlockFlood),
        ("withhold", LieKind::Withhold),
        ("secret-chain", LieKind::SecretChain),
        ("slow-sync", LieKind::SlowSync),
        ("slow-rest", LieKind::SlowRest),
        ("eclipse", LieKind::Eclipse),
        ("false-time", LieKind::FalseTime),
        ("poison-addresses", LieKind::PoisonAddresses),
        ("double-vote", LieKind::DoubleVote),
        ("two-proposals", LieKind::TwoProposals),
        ("forgetful", LieKind::Forgetful),
        ("own-blocks", LieKind::OwnBlocks),
        ("twin", LieKind::Twin),
        ("false-certificate", LieKind::FalseCertificate),
        ("false-proofs", LieKind::FalseProofs),
    ];

    /// The words alone.
    pub const WORDS_ONLY: [&'static str; 20] = {
        let mut words = [""; 20];
        let mut n = 0;
        while n < words.len() {
            words[n] = Self::WORDS[n].0;
            n += 1;
        }
        words
    };

    /// Whether it can be told on a chain of this engine.
    pub fn is_of(self, engine: Consensus) -> bool {
        match self {
            LieKind::DoubleVote
            | LieKind::Forgetful
            | LieKind::OwnBlocks
            | LieKind::Twin
            | LieKind::FalseCertificate => engine == Consensus::Pos,
            LieKind::TwoProposals => engine != Consensus::Pow,
            LieKind::BlockFlood => engine != Consensus::Pos,
            LieKind::SecretChain => engine == Consensus::Pow,
            LieKind::FalseProofs => engine == Consensus::Poot,
            _ => true,
        }
    }

    /// Whether it has a victim.
    pub fn has_victim(self) -> bool {
        matches!(self, LieKind::Eclipse | LieKind::Twin)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// In words: `lies by withhold with 3 times its power`.
impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.word())
            .and_then(|()| self.victim.map_or(Ok(()), |victim| write!(f, " of {victim}")))
            .and_then(|()| if self.power == 1 { Ok(()) } else { write!(f, " with the power of {} nodes", self.power) })
    }
}
