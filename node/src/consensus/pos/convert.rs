//! Between this chain's forms and those of malachite's core.

use super::{
    context::{Context, CoreVote},
    log::Entry,
    message::{PolkaProof, RoundProof, RoundReason},
    timer::Wait,
};
use crate::{
    crypto::{Address, Hash},
    types::{Certificate, Equivocation, Proposal, Round, Signed, Step, Vote},
};
use arc_malachitebft_core_consensus::{Input, ProposedValue};
use arc_malachitebft_core_types::{
    CommitCertificate, NilOrVal, PolkaCertificate, PolkaSignature, Round as CoreRound, RoundCertificate,
    RoundCertificateType, RoundSignature, SignedMessage, SignedProposal, SignedVote, Validity, ValueOrigin, VoteType,
};

pub fn to_vote(signed: Signed<Vote>) -> SignedVote<Context> {
    SignedMessage::new(signed.ballot.into(), signed.signature)
}

pub fn of_vote(signed: SignedVote<Context>) -> Signed<Vote> {
    Signed { ballot: signed.message.vote, signature: signed.signature }
}

pub fn to_proposal(signed: Signed<Proposal>) -> SignedProposal<Context> {
    SignedMessage::new(signed.ballot, signed.signature)
}

pub fn of_proposal(signed: SignedProposal<Context>) -> Signed<Proposal> {
    Signed { ballot: signed.message, signature: signed.signature }
}

/// A round that is one: the core's certificates and time-outs have one.
pub fn of_round(round: CoreRound) -> Round {
    round.as_u32().expect("the core is in a round")
}

/// The certificate of a decision, in the one order that it may have.
pub fn of_commit(certificate: CommitCertificate<Context>) -> Certificate {
    let signatures = certificate.commit_signatures.into_iter().map(|commit| (commit.address, commit.signature));
    let mut signatures: Vec<_> = signatures.collect();
    signatures.sort();
    Certificate { round: of_round(certificate.round), signatures }
}

pub fn to_polka(proof: PolkaProof) -> PolkaCertificate<Context> {
    let signatures = proof.signatures.into_iter().map(|(address, signature)| PolkaSignature { address, signature });
    PolkaCertificate {
        height: proof.height,
        round: CoreRound::new(proof.round),
        value_id: proof.block,
        polka_signatures: signatures.collect(),
    }
}

pub fn of_polka(certificate: PolkaCertificate<Context>) -> PolkaProof {
    let signatures = certificate.polka_signatures.into_iter().map(|one| (one.address, one.signature));
    PolkaProof {
        height: certificate.height,
        round: of_round(certificate.round),
        block: certificate.value_id,
        signatures: signatures.collect(),
    }
}

pub fn to_round(proof: RoundProof) -> RoundCertificate<Context> {
    let vote = |(step, block, address, signature): (Step, Option<Hash>, Address, _)| RoundSignature {
        vote_type: match step {
            Step::Prevote => VoteType::Prevote,
            Step::Precommit => VoteType::Precommit,
        },
        value_id: block.map_or(NilOrVal::Nil, NilOrVal::Val),
        address,
        signature,
    };
    RoundCertificate {
        height: proof.height,
        round: CoreRound::new(proof.round),
        cert_type: match proof.reason {
            RoundReason::Skip => RoundCertificateType::Skip,
            RoundReason::Precommits => RoundCertificateType::Precommit,
        },
        round_signatures: proof.votes.into_iter().map(vote).collect(),
    }
}

pub fn of_round_certificate(certificate: RoundCertificate<Context>) -> RoundProof {
    let vote = |one: RoundSignature<Context>| {
        let step = match one.vote_type {
            VoteType::Prevote => Step::Prevote,
            VoteType::Precommit => Step::Precommit,
        };
        let block = match one.value_id {
            NilOrVal::Nil => None,
            NilOrVal::Val(block) => Some(block),
        };
        (step, block, one.address, one.signature)
    };
    RoundProof {
        height: certificate.height,
        round: of_round(certificate.round),
        reason: match certificate.cert_type {
            RoundCertificateType::Skip => RoundReason::Skip,
            RoundCertificateType::Precommit => RoundReason::Precommits,
        },
        votes: certificate.round_signatures.into_iter().map(vote).collect(),
    }
}

pub fn of_double_vote((a, b): &(SignedVote<Context>, SignedVote<Context>)) -> Equivocation {
    Equivocation::of_votes(of_vote(a.clone()), of_vote(b.clone()))
}

pub fn of_double_proposal((a, b): &(SignedProposal<Context>, SignedProposal<Context>)) -> Equivocation {
    Equivocation::of_proposals(of_proposal(a.clone()), of_proposal(b.clone()))
}

pub fn validity(is_valid: bool) -> Validity {
    Validity::from_bool(is_valid)
}

/// The input that an entry of the log stands for.
pub fn to_input(entry: Entry) -> Input<Context> {
    match entry {
        Entry::Vote(signed) => Input::Vote(to_vote(signed)),
        Entry::Proposal(signed) => Input::Proposal(to_proposal(signed)),
        Entry::Polka(proof) => Input::PolkaCertificate(to_polka(proof)),
        Entry::Elapsed(wait) => Input::TimeoutElapsed(wait.into()),
        Entry::Block { round, proof_round, proposer, block, is_valid } => {
            let value = ProposedValue {
                height: block.header.height,
                round: CoreRound::new(round),
                valid_round: proof_round.into(),
                proposer,
                value: block.hash(),
                validity: validity(is_valid),
            };
            Input::ProposedValue(value, ValueOrigin::Consensus)
        }
    }
}

impl From<CoreVote> for Vote {
    fn from(vote: CoreVote) -> Self {
        vote.vote
    }
}

/// The core's time-out as an entry of the log.
pub fn elapsed(timeout: arc_malachitebft_core_types::Timeout) -> Option<Entry> {
    Wait::of(timeout).map(Entry::Elapsed)
}
