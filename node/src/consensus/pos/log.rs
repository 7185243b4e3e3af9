//! The log of a height: what this node has taken into account. Read again after a crash, it brings the machine to where it was,
//! so that the node never contradicts what it has said.

use super::{message::PolkaProof, timer::Wait};
use crate::{
    crypto::Address,
    types::{Block, Proposal, Round, Signed, Vote},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Entries of one height, at most; a height that needs more is one where nobody agrees for hours. Beyond it the node goes on
/// without voting until the height is decided.
pub const ENTRIES_MAX: usize = 65_536;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Entry {
    /// A vote, this node's or another's.
    Vote(Signed<Vote>),
    /// A proposal, this node's or another's.
    Proposal(Signed<Proposal>),
    /// A block that was proposed, and what this node thought of it.
    Block {
        /// The round it came in.
        round: Round,
        /// The round in which two thirds prevoted for it, if it is proposed again.
        proof_round: Option<Round>,
        /// Who proposed it.
        proposer: Address,
        /// The block.
        block: Box<Block>,
        /// Whether it is valid.
        is_valid: bool,
    },
    /// Two thirds have prevoted for a block.
    Polka(PolkaProof),
    /// A time-out.
    Elapsed(Wait),
}
