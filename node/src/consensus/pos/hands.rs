//! The hands of the machine: signs, verifies, and turns what the core asks for into [`Output`]s.

use super::{
    agreement::Output,
    context::{Context, CoreSet, CoreVote},
    convert,
    log::{ENTRIES_MAX, Entry},
    message::{Content, Message, PolkaProof, RoundProof, RoundReason},
    timer::Wait,
};
use crate::{
    crypto::{Address, Hash, Keypair},
    types::{Block, ChainId, Equivocation, Height, PosParams, Proposal, Round, Seal, Signed, ValidatorSet, Vote},
};
use arc_malachitebft_core_consensus::{
    ConsensusMsg, Effect, Input, LivenessMsg, MisbehaviorEvidence, Resumable, Resume, SignedConsensusMsg,
};
use arc_malachitebft_core_types::{BoxError, CertificateError, CommitCertificate, SignedMessage};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks of one height that are kept, at most: two proposals in each round that the core keeps, and some.
pub const BLOCKS_MAX: usize = 64;

/// Everything that the core does not know: keys, blocks, and what has been said.
pub struct Hands {
    pub chain: ChainId,
    pub params: PosParams,
    pub key: Option<Keypair>,
    pub validators: ValidatorSet,
    pub height: Height,
    /// Blocks that were proposed at this height.
    pub blocks: BTreeMap<Hash, Block>,
    pub outputs: Vec<Output>,
    /// While the log is read, nothing is logged and nothing is sent.
    pub is_replaying: bool,
    /// What the log that is read says in its last round: a proposal and two votes, at most.
    pub said: Vec<Content>,
    /// The round for which a block was asked for.
    pub wanted: Option<Round>,
    /// Entries in the log of this height.
    pub entries: usize,
    /// Of whom it was said that it equivocated, at this height.
    pub reported: BTreeSet<Address>,
    /// Distinguishes repetitions.
    pub copies: u32,
}

impl Hands {
    /// Keeps a block that was proposed. False when there are too many.
    pub fn keep(&mut self, hash: Hash, block: Block) -> bool {
        let has_room = self.blocks.len() < BLOCKS_MAX || self.blocks.contains_key(&hash);
        if has_room {
            self.blocks.insert(hash, block);
        }
        has_room
    }

    /// Does what the core asks for.
    pub fn handle(&mut self, effect: Effect<Context>) -> Resume<Context> {
        match effect {
            Effect::CancelAllTimeouts(resume) => {
                self.outputs.push(Output::CancelAll);
                resume.resume_with(())
            }
            Effect::CancelTimeout(timeout, resume) => {
                self.outputs.extend(Wait::of(timeout).map(Output::Cancel));
                resume.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, resume) => {
                let wait = Wait::of(timeout);
                self.outputs.extend(wait.map(|wait| Output::Wait(wait, wait.duration(&self.params))));
                resume.resume_with(())
            }
            Effect::StartRound(_, round, proposer, _, resume) => {
                self.wanted = None;
                self.said.clear();
                self.outputs.push(Output::Round { round: convert::of_round(round), proposer });
                resume.resume_with(())
            }
            Effect::PublishConsensusMsg(SignedConsensusMsg::Vote(vote), resume) => {
                self.send(Content::Vote(convert::of_vote(vote)), false);
                resume.resume_with(())
            }
            Effect::PublishConsensusMsg(SignedConsensusMsg::Proposal(proposal), resume) => {
                self.send_proposal(convert::of_proposal(proposal));
                resume.resume_with(())
            }
            Effect::PublishLivenessMsg(message, resume) => {
                let content = match message {
                    LivenessMsg::Vote(vote) => Content::Vote(convert::of_vote(vote)),
                    LivenessMsg::PolkaCertificate(polka) => Content::Polka(convert::of_polka(polka)),
                    LivenessMsg::SkipRoundCertificate(round) => Content::Round(convert::of_round_certificate(round)),
                };
                self.send(content, true);
                resume.resume_with(())
            }
            Effect::RepublishVote(vote, resume) => {
                self.send(Content::Vote(convert::of_vote(vote)), true);
                resume.resume_with(())
            }
            Effect::RepublishRoundCertificate(certificate, resume) => {
                self.send(Content::Round(convert::of_round_certificate(certificate)), true);
                resume.resume_with(())
            }
            Effect::GetValue(_, round, _, resume) => {
                let round = convert::of_round(round);
                self.wanted = Some(round);
                if !self.is_replaying {
                    self.outputs.push(Output::WantBlock { round });
                }
                resume.resume_with(())
            }
            Effect::Decide(certificate, _, resume) => {
                self.decide(certificate);
                resume.resume_with(())
            }
            Effect::Finalize(_, _, evidence, resume) => {
                self.report(&evidence);
                resume.resume_with(())
            }
            Effect::SignVote(vote, resume) => resume.resume_with(self.sign_vote(vote)),
            Effect::SignProposal(proposal, resume) => {
                let signed = Signed::new(proposal, &self.chain, self.signer());
                resume.resume_with(convert::to_proposal(signed))
            }
            Effect::VerifySignature(message, key, resume) => {
                let SignedMessage { message, signature } = message;
                let verified = match message {
                    ConsensusMsg::Vote(vote) => Signed { ballot: vote.vote, signature }.verify(&self.chain, &key),
                    ConsensusMsg::Proposal(ballot) => Signed { ballot, signature }.verify(&self.chain, &key),
                };
                resume.resume_with(verified.is_ok())
            }
            Effect::VerifyCommitCertificate(certificate, set, _, resume) => {
                resume.resume_with(self.check_commit(certificate, &set))
            }
            Effect::VerifyPolkaCertificate(certificate, set, _, resume) => {
                resume.resume_with(refusal(check_polka(&self.chain, &convert::of_polka(certificate), &set.ours)))
            }
            Effect::VerifyRoundCertificate(certificate, set, _, resume) => {
                let proof = convert::of_round_certificate(certificate);
                resume.resume_with(refusal(check_round(&self.chain, &proof, &set.ours)))
            }
            Effect::WalAppend(height, input, resume) => {
                if height == self.height {
                    self.log(input);
                }
                resume.resume_with(())
            }
            // A proposal is always sent with its block.
            Effect::RestreamProposal(.., resume) => resume.resume_with(()),
            // Nothing is synchronised through the core, and votes have no extensions.
            Effect::CertVerifiedSyncValue(.., resume) | Effect::CertRejectedSyncValue(.., resume) => {
                resume.resume_with(())
            }
            Effect::VerifyExtendedCommitCertificate(.., resume) => {
                resume.resume_with(Err(CertificateError::VerificationError(None)))
            }
            Effect::ExtendVote(.., resume) => resume.resume_with(None),
            Effect::VerifyVoteExtension(.., resume) => resume.resume_with(Ok(())),
        }
    }

    fn signer(&self) -> &Keypair {
        // The core asks for signatures of the validator whose address it was given, and a node without a key gives none.
        self.key.as_ref().expect("only a validator is asked to sign")
    }

    fn sign_vote(&self, vote: CoreVote) -> SignedMessage<Context, CoreVote> {
        convert::to_vote(Signed::<Vote>::new(vote.vote, &self.chain, self.signer()))
    }

    /// Sends a message. What may have been sent before gets a number of its own.
    fn send(&mut self, content: Content, is_repetition: bool) {
        if self.is_replaying {
            if !is_repetition {
                self.said.push(content);
            }
            return;
        }
        let copy = if is_repetition {
            self.copies = self.copies.wrapping_add(1);
            self.copies
        } else {
            0
        };
        self.outputs.push(Output::Send(Box::new(Message { content, copy })));
    }

    fn send_proposal(&mut self, signed: Signed<Proposal>) {
        let block = self.blocks.get(&signed.ballot.block).cloned();
        // The core proposes what it was given or what it has seen, and both are kept.
        let Some(block) = block else {
            tracing::error!(block = %signed.ballot.block, "agreement.block_missing");
            return;
        };
        self.send(Content::Proposal(signed, Box::new(block)), false);
    }

    fn decide(&mut self, certificate: CommitCertificate<Context>) {
        let hash = certificate.value_id;
        let Some(mut block) = self.blocks.get(&hash).cloned() else {
            tracing::error!(block = %hash, "agreement.block_missing");
            return;
        };
        if let Seal::Pos { certificate: agreed, .. } = &mut block.header.seal {
            *agreed = convert::of_commit(certificate);
        }
        self.outputs.push(Output::Decided(Box::new(block)));
    }

    fn report(&mut self, evidence: &MisbehaviorEvidence<Context>) {
        let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs.first());
        let proposals = evidence.proposals.iter().flat_map(|(_, pairs)| pairs.first());
        let proofs: Vec<_> =
            votes.map(convert::of_double_vote).chain(proposals.map(convert::of_double_proposal)).collect();
        for proof in proofs {
            self.accuse(proof);
        }
    }

    /// Says that somebody equivocated; once a height is enough, since it is punished once for a height.
    pub fn accuse(&mut self, proof: Equivocation) {
        let key = self.validators.get(&proof.validator()).map(|validator| validator.key);
        // Two proposals that differ only in what the core holds to be the same are no proof.
        let is_proof = key.is_some_and(|key| proof.check(&self.chain, &key).is_ok());
        if is_proof && self.reported.insert(proof.validator()) {
            self.outputs.push(Output::Equivocated(Box::new(proof)));
        }
    }

    fn check_commit(
        &self,
        certificate: CommitCertificate<Context>,
        set: &CoreSet,
    ) -> Result<(), CertificateError<Context>> {
        let (height, hash) = (certificate.height, certificate.value_id);
        let checked = set.ours.check(&self.chain, height, hash, &convert::of_commit(certificate));
        checked.map_err(|error| CertificateError::VerificationError(Some(BoxError::new(error.into()))))
    }

    fn log(&mut self, input: Input<Context>) {
        if self.is_replaying {
            return;
        }
        let entry = match input {
            Input::Vote(vote) => Some(Entry::Vote(convert::of_vote(vote))),
            Input::Proposal(proposal) => Some(Entry::Proposal(convert::of_proposal(proposal))),
            Input::PolkaCertificate(polka) => Some(Entry::Polka(convert::of_polka(polka))),
            Input::TimeoutElapsed(timeout) => convert::elapsed(timeout),
            Input::ProposedValue(value, _) => self.blocks.get(&value.value).map(|block| Entry::Block {
                round: convert::of_round(value.round),
                proof_round: value.valid_round.as_u32(),
                proposer: value.proposer,
                block: Box::new(block.clone()),
                is_valid: value.validity.is_valid(),
            }),
            // The core never logs the others.
            Input::StartHeight(..) | Input::Propose(_) | Input::RoundCertificate(_) | Input::SyncValueResponse(_) => {
                None
            }
        };
        if let Some(entry) = entry {
            self.entries += 1;
            self.outputs.push(Output::Log(Box::new(entry)));
        }
    }

    /// Whether the log of this height has room.
    pub fn has_log_room(&self) -> bool {
        self.entries < ENTRIES_MAX
    }
}

fn refusal(checked: Result<(), &'static str>) -> Result<(), CertificateError<Context>> {
    checked.map_err(|cause| CertificateError::VerificationError(Some(BoxError::new(cause.into()))))
}

/// Whether the prevotes of a polka are of more than two thirds.
pub fn check_polka(chain: &ChainId, proof: &PolkaProof, validators: &ValidatorSet) -> Result<(), &'static str> {
    let votes = proof.signatures.iter().map(|(validator, signature)| {
        let ballot = proof.vote(*validator);
        Signed { ballot, signature: *signature }
    });
    let power = power_of(chain, votes, validators)?;
    if validators.is_quorum(power) { Ok(()) } else { Err("not more than two thirds") }
}

/// Whether the votes of a proof let one enter its round, or the one after it.
pub fn check_round(chain: &ChainId, proof: &RoundProof, validators: &ValidatorSet) -> Result<(), &'static str> {
    let is_precommit = |signed: Signed<Vote>| signed.ballot.step == crate::types::Step::Precommit;
    if proof.reason == RoundReason::Precommits && !proof.signed().all(is_precommit) {
        return Err("a prevote among precommits");
    }
    let power = power_of(chain, proof.signed(), validators)?;
    let enough = match proof.reason {
        RoundReason::Precommits => validators.is_quorum(power),
        RoundReason::Skip => u128::from(power) * 3 > u128::from(validators.power()),
    };
    if enough { Ok(()) } else { Err("too few votes") }
}

/// The power of those who signed `votes`, each once.
fn power_of(
    chain: &ChainId,
    votes: impl Iterator<Item = Signed<Vote>>,
    validators: &ValidatorSet,
) -> Result<u64, &'static str> {
    let (mut seen, mut power) = (BTreeSet::new(), 0);
    for signed in votes {
        let validator = validators.get(&signed.ballot.validator).ok_or("a vote of somebody who is no validator")?;
        if !seen.insert(signed.ballot.validator) {
            return Err("two votes of one validator");
        }
        signed.verify(chain, &validator.key).map_err(|_| "a signature that does not verify")?;
        power += validator.power();
    }
    Ok(power)
}
