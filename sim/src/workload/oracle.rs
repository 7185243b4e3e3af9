//! What is known of each submitted transfer, and of all requests.

use super::requests::{Outcome, Request, Requests};
use assay_node::crypto::Hash;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What the API said of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission {
    /// No answer yet.
    UnderWay,
    /// The node has taken it in.
    Acknowledged,
    /// The node has refused it, so it has no effect.
    Refused,
    /// There was no answer: it may have an effect or not.
    Unknown,
}

/// What a node's API said of a confirmed transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The node.
    pub node: usize,
    /// The transfer.
    pub id: Hash,
    /// Whether it was said to be confirmed.
    pub confirmed: bool,
    /// What was said.
    pub said: String,
}

/// The transfers of a run, by count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent.
    pub submitted: u64,
    /// Taken in by a node.
    pub acknowledged: u64,
    /// Refused by a node.
    pub refused: u64,
    /// Without an answer.
    pub unknown: u64,
    /// Confirmed by a node.
    pub confirmed: u64,
}

/// All submitted transfers, what the chain has confirmed, and what the users' requests came to.
#[derive(Debug, Default)]
pub struct Oracle {
    submissions: BTreeMap<Hash, Submission>,
    confirmed: BTreeMap<Hash, Duration>,
    answers: Vec<Answer>,
    /// When which node gave a user no answer, or said that it has trouble.
    failures: Vec<(Duration, usize)>,
    requests: Requests,
}

/// Failures that are kept, at most: a node that is down for a whole run at 1000 transfers a second fails no wallet more
/// often than it is asked.
const FAILURES_MAX: usize = 100_000;

impl Oracle {
    /// A transfer is about to be sent.
    pub fn sending(&mut self, id: Hash) {
        self.submissions.entry(id).or_insert(Submission::UnderWay);
    }

    /// The answer to it, or that there will be none. What was acknowledged once stays so.
    pub fn sent(&mut self, id: Hash, submission: Submission) {
        let known = self.submissions.entry(id).or_insert(submission);
        if *known != Submission::Acknowledged {
            *known = submission;
        }
    }

    /// A node has confirmed these transactions at `at`.
    pub fn confirmed(&mut self, ids: &[Hash], at: Duration) {
        for id in ids {
            self.confirmed.entry(*id).or_insert(at);
        }
    }

    /// Submitted transfers that were confirmed by `at`.
    pub fn confirmed_by(&self, at: Duration) -> Vec<Hash> {
        let early = self.confirmed.iter().filter(|(_, when)| **when <= at).map(|(id, _)| *id);
        early.filter(|id| self.submissions.contains_key(id)).collect()
    }

    /// The confirmed transaction whose identifier comes next to `from`, beginning anew after the last one; none without any.
    pub fn confirmed_from(&self, from: Hash) -> Option<Hash> {
        let next = self.confirmed.range(from..).next().or_else(|| self.confirmed.first_key_value());
        next.map(|(id, _)| *id)
    }

    /// What became of a request is known.
    pub fn asked(&mut self, outcome: Outcome, request: Request) {
        self.requests.add(outcome, request);
    }

    /// The users' requests.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// A node gave a user no answer at `at`, or said that it has trouble.
    pub fn failed(&mut self, node: usize, at: Duration) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push((at, node));
        }
    }

    /// The first time after `since` at which a user saw one of these nodes fail.
    pub fn first_failure(&self, since: Duration, of: impl Fn(usize) -> bool) -> Option<Duration> {
        self.failures.iter().find(|(at, node)| *at > since && of(*node)).map(|(at, _)| *at)
    }

    /// A node was asked about a confirmed transfer.
    pub fn answered(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    /// The answers about confirmed transfers since the last call.
    pub fn take_answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }

    /// The transfers by count. Those without an answer yet count as unknown.
    pub fn counts(&self) -> Counts {
        let count = |wanted: &[Submission]| self.submissions.values().filter(|s| wanted.contains(s)).count() as u64;
        Counts {
            submitted: self.submissions.len() as u64,
            acknowledged: count(&[Submission::Acknowledged]),
            refused: count(&[Submission::Refused]),
            unknown: count(&[Submission::Unknown, Submission::UnderWay]),
            confirmed: self.confirmed.keys().filter(|id| self.submissions.contains_key(id)).count() as u64,
        }
    }

    /// Confirmed transfers that are missing from at least one of `chains`.
    pub fn lost<'a>(&self, chains: impl Iterator<Item = &'a BTreeSet<Hash>> + Clone) -> u64 {
        self.confirmed.keys().filter(|id| chains.clone().any(|chain| !chain.contains(id))).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [Hash; 3] = [Hash([1; 32]), Hash([2; 32]), Hash([3; 32])];

    #[test]
    fn an_acknowledgement_stands_and_a_missing_answer_is_unknown() {
        let mut oracle = Oracle::default();
        for id in ID {
            oracle.sending(id);
        }
        oracle.sent(ID[0], Submission::Acknowledged);
        oracle.sent(ID[0], Submission::Unknown);
        oracle.sent(ID[1], Submission::Unknown);
        let expected = Counts { submitted: 3, acknowledged: 1, refused: 0, unknown: 2, confirmed: 0 };
        assert_eq!(oracle.counts(), expected);
        oracle.sent(ID[1], Submission::Acknowledged);
        oracle.sent(ID[2], Submission::Refused);
        assert_eq!(oracle.confirmed_from(ID[0]), None);
        oracle.confirmed(&[ID[1], Hash([9; 32])], Duration::from_secs(5));
        assert_eq!(oracle.confirmed_from(ID[0]), Some(ID[1]));
        assert_eq!(oracle.confirmed_from(ID[2]), Some(Hash([9; 32])));
        assert_eq!(oracle.confirmed_from(Hash([10; 32])), Some(ID[1]), "it begins anew");
        let expected = Counts { submitted: 3, acknowledged: 2, refused: 1, unknown: 0, confirmed: 1 };
        assert_eq!(oracle.counts(), expected, "what others sent does not count");
    }

    #[test]
    fn the_first_failure_is_of_the_nodes_that_are_asked_for() {
        let mut oracle = Oracle::default();
        for (at, node) in [(3, 0), (5, 1), (8, 0)] {
            oracle.failed(node, Duration::from_secs(at));
        }
        let first = |since, node| oracle.first_failure(Duration::from_secs(since), |of| of == node);
        assert_eq!(first(3, 0), Some(Duration::from_secs(8)));
        assert_eq!((first(0, 1), first(5, 1)), (Some(Duration::from_secs(5)), None));
    }

    #[test]
    fn lost_is_what_any_chain_lacks() {
        let mut oracle = Oracle::default();
        oracle.confirmed(&ID, Duration::ZERO);
        let (all, some) = (BTreeSet::from(ID), BTreeSet::from([ID[0]]));
        assert_eq!(oracle.lost([&all].into_iter()), 0);
        assert_eq!(oracle.lost([&all, &some].into_iter()), 2);
    }
}
