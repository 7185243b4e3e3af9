//! Proof of stake: validators agree on each block, and what more than two thirds of their stake have agreed on is final.
//!
//! The algorithm is Tendermint's (Buchman, Kwon, Milosevic: "The latest gossip on BFT consensus", 2018), as malachite's core
//! implements it. [`Agreement`] is that core with this chain's ballots and hands: a pure machine that is told what came and
//! says what to sign, to store, to send and to wait for. The rules that a finished block must keep are in this file; they need
//! no machine, and a node that syncs applies nothing else.
//!
//! ```text
//!   peers ──message──> Agreement ──log──> store      before anything that it led to is sent
//!   clock ──time-out──>    │ ───message──> peers
//!   chain ──block, verdict─┘ ───decision──> chain: block and certificate
//! ```
//!
//! **What it promises:** as long as less than a third of the stake lies, no two blocks of one height are ever agreed on,
//! whatever the network, the clocks and crashes do. Blocks are made while more than two thirds are up, connected and honest.
//! **What it does not:** with a third or more of liars the chain can fork or stop; who lied can then be proved
//! ([`crate::types::Equivocation`]). Whoever has once had two thirds of the stake, long ago, can make another history for a node
//! that knows nothing later than its genesis document.

mod agreement;
mod ahead;
mod context;
mod convert;
mod hands;
mod log;
mod message;
#[cfg(test)]
pub(super) mod tests;
mod timer;

pub use agreement::{Agreement, Judge, Judgement, Output};
pub use ahead::{AHEAD_BYTES_MAX, AHEAD_MESSAGES_MAX};
pub use hands::BLOCKS_MAX;
pub use log::{ENTRIES_MAX, Entry};
pub use message::{Content, Message, PolkaProof, RoundProof, RoundReason};
pub use timer::{TIMEOUT_MAX, Wait, WaitKind};

use super::{Ancestors, SealError};
use crate::{
    crypto::Hash,
    types::{ChainId, Header, Height, Seal, Timestamp, ValidatorSet},
};

/// Checks that `header` is sealed by validators and is later than its parent. The clock is the validators' to judge, before
/// they agree ([`check_time`]): what they have agreed on stays, whatever this node's clock says.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(header: &Header, ancestors: &dyn Ancestors) -> Result<(), SealError> {
    if !matches!(header.seal, Seal::Pos { .. }) {
        return Err(SealError::Foreign(Box::new(header.seal.clone())));
    }
    let earliest = earliest(header.height, ancestors);
    if header.timestamp < earliest {
        return Err(SealError::TooOld { median: Timestamp(earliest.0 - 1), got: header.timestamp });
    }
    Ok(())
}

/// Checks that a block that is proposed is not ahead of this node's clock by more than `future_max_ms`.
///
/// # Errors
/// [`SealError::TooNew`].
pub fn check_time(header: &Header, now: Timestamp, future_max_ms: u64) -> Result<(), SealError> {
    let ahead_ms = header.timestamp.since(now);
    if ahead_ms > future_max_ms {
        return Err(SealError::TooNew { got: header.timestamp, ahead_ms });
    }
    Ok(())
}

/// Checks that it was the turn of whoever made the block.
///
/// # Errors
/// [`SealError::Turn`], or a foreign seal.
pub fn check_maker(header: &Header, validators: &ValidatorSet) -> Result<(), SealError> {
    let Seal::Pos { round, .. } = header.seal else {
        return Err(SealError::Foreign(Box::new(header.seal.clone())));
    };
    let expected = validators.proposer(header.height, round).address();
    if expected != header.proposer {
        return Err(SealError::Turn { round, expected, got: header.proposer });
    }
    Ok(())
}

/// Checks that it was the turn of whoever made the block, and that `validators` have agreed on it.
///
/// # Errors
/// The first rule that it breaks.
pub fn authorise(chain: &ChainId, header: &Header, hash: Hash, validators: &ValidatorSet) -> Result<(), SealError> {
    let Seal::Pos { certificate, .. } = &header.seal else {
        return Err(SealError::Foreign(Box::new(header.seal.clone())));
    };
    check_maker(header, validators)?;
    Ok(validators.check(chain, header.height, hash, certificate)?)
}

/// The least timestamp of the block at `height`: a millisecond after its parent's.
pub fn earliest(height: Height, ancestors: &dyn Ancestors) -> Timestamp {
    let parent = height.prev().and_then(|below| ancestors.at(below)).map(|parent| parent.timestamp);
    Timestamp(parent.unwrap_or_default().0 + 1)
}
