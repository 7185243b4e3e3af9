//! Proof of operational tasks: whoever has done most for the network leads the next block, and then rests.
//!
//! `node/docs/poot.md` has the rules with their source, and what they do not stop.
//! In short: the state below a block says in which order the operators may lead it ([`ranking`]). The first may
//! begin with the slot after the parent's, and each further one a time-out later ([`opening`]), on into later slots until
//! somebody has led. The better the rank, the heavier the block, so that a leader that was only late wins over its stand-in.
//!
//! **What it promises:** as long as one operator is up, blocks are made; all nodes that see the same blocks agree on the
//! heaviest chain. **What it does not:** confirmation is a bet, as in proof of work. A leader may lead twice from one parent,
//! since nothing is at stake, and two operators may lie for each other.

mod asking;
mod duties;
mod ranks;
#[cfg(test)]
mod tests;

pub use asking::{Answer, Asking, answer, challenged};
pub use duties::{ASK_INTERVAL_MS, ASKED_MAX, Duties, Duty};
pub use ranks::{Standing, ranking, standings};

use super::{Ancestors, SealError};
use crate::{
    ledger::Operators,
    types::{ChainId, ChainParams, Difficulty, Header, Height, OPERATORS_MAX, Rank, Seal, Slot, Timestamp},
};

/// Ranks that differ in weight; all beyond weigh the same.
pub const WEIGHTY_RANKS: Rank = 16;

/// What a block of `rank` weighs: each further rank half as much.
pub fn weight(rank: Rank) -> Difficulty {
    Difficulty(1 << (WEIGHTY_RANKS - rank.min(WEIGHTY_RANKS)))
}

/// When `rank` may lead a block on a parent of slot `parent`.
pub fn opening(params: &ChainParams, parent: Slot, rank: Rank) -> Timestamp {
    let begin = params.begin(Slot(parent.0 + 1));
    Timestamp(begin.0.saturating_add(u64::from(rank).saturating_mul(params.poot.leader_timeout_ms)))
}

/// The slot of the block below `height`.
pub fn parent_slot(params: &ChainParams, height: Height, ancestors: &dyn Ancestors) -> Slot {
    let parent = height.prev().and_then(|below| ancestors.at(below));
    params.slot(parent.map(|parent| parent.timestamp).unwrap_or_default())
}

/// Checks all that can be checked without the state: that a holder of the proposer's key has sealed it, and that its rank may
/// lead at its time. A timestamp may be ahead of this node's clock by a time-out at most: whoever sets its clock forward gains
/// one rank and not more.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(
    params: &ChainParams,
    header: &Header,
    ancestors: &dyn Ancestors,
    now: Timestamp,
) -> Result<(), SealError> {
    let Seal::Poot { rank, key, signature } = &header.seal else {
        return Err(SealError::Foreign(Box::new(header.seal.clone())));
    };
    let opens = opening(params, parent_slot(params, header.height, ancestors), *rank);
    if *rank as usize >= OPERATORS_MAX || header.timestamp < opens {
        return Err(SealError::TooEarly { rank: *rank, opens, got: header.timestamp });
    }
    let ahead_ms = header.timestamp.since(now);
    if ahead_ms > params.ahead_max_ms() {
        return Err(SealError::TooNew { got: header.timestamp, ahead_ms });
    }
    let is_its = key.address() == header.proposer && key.verify(&header.leader_digest(*rank), signature).is_ok();
    if is_its { Ok(()) } else { Err(SealError::Signature(header.proposer)) }
}

/// Checks that its maker has the rank that it claims, by the state below.
///
/// # Errors
/// [`SealError::Rank`], or a foreign seal.
pub fn authorise(chain: &ChainId, params: &ChainParams, header: &Header, below: &Operators) -> Result<(), SealError> {
    let Seal::Poot { rank, .. } = header.seal else {
        return Err(SealError::Foreign(Box::new(header.seal.clone())));
    };
    let slot = Slot(below.recent.slot.0 + 1);
    let expected = ranking(chain, &params.poot, below, slot).get(rank as usize).copied();
    if expected == Some(header.proposer) {
        return Ok(());
    }
    Err(SealError::Rank { rank, expected, got: header.proposer })
}
