//! What an agreement waits for, and how long.

use crate::types::{PosParams, Round};
use arc_malachitebft_core_types::{LinearTimeouts, Round as CoreRound, Timeout, TimeoutKind};
use borsh::{BorshDeserialize, BorshSerialize};
use std::time::Duration;

/// No time-out grows beyond this, however many rounds a height takes.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(30);

/// Something that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Wait {
    /// What for.
    pub kind: WaitKind,
    /// The round.
    pub round: Round,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum WaitKind {
    /// The proposal.
    Proposal,
    /// More prevotes.
    Prevotes,
    /// More precommits.
    Precommits,
    /// Any progress; without it this node's last votes are sent again.
    Progress,
}

impl Wait {
    /// How long it is waited for.
    pub fn duration(self, params: &PosParams) -> Duration {
        let (propose, vote) = (Duration::from_millis(params.propose_ms), Duration::from_millis(params.vote_ms));
        let delta = Duration::from_millis(params.round_ms);
        let timeouts = LinearTimeouts {
            propose,
            propose_delta: delta,
            prevote: vote,
            prevote_delta: delta,
            precommit: vote,
            precommit_delta: delta,
            // Once in the time that a round takes at most when nothing is heard.
            rebroadcast: propose + 2 * vote,
            max_timeout: TIMEOUT_MAX,
        };
        timeouts.duration_for(self.into())
    }
}

impl From<Wait> for Timeout {
    fn from(wait: Wait) -> Self {
        let kind = match wait.kind {
            WaitKind::Proposal => TimeoutKind::Propose,
            WaitKind::Prevotes => TimeoutKind::Prevote,
            WaitKind::Precommits => TimeoutKind::Precommit,
            WaitKind::Progress => TimeoutKind::Rebroadcast,
        };
        Timeout::new(CoreRound::new(wait.round), kind)
    }
}

impl Wait {
    /// The core's time-out as one of ours; `None` for one that this node never asks for.
    pub fn of(timeout: Timeout) -> Option<Self> {
        let kind = match timeout.kind {
            TimeoutKind::Propose => WaitKind::Proposal,
            TimeoutKind::Prevote => WaitKind::Prevotes,
            TimeoutKind::Precommit => WaitKind::Precommits,
            TimeoutKind::Rebroadcast => WaitKind::Progress,
            // The core ends a height at once when it is given no target time.
            TimeoutKind::FinalizeHeight(_) => return None,
        };
        Some(Self { kind, round: timeout.round.as_u32()? })
    }
}
