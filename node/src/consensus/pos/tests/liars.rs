//! Validators that lie: below a third they are found out and change nothing; with half of the stake they fork the chain,
//! and the proofs name them.

use super::{
    cluster::{BAD, Cluster, Lie},
    support::{Dice, block, chain},
};
use crate::{
    consensus::pos::{Content, Message},
    crypto::{Hash, Keypair},
    types::{Proposal, Signed, Vote},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

fn others(nodes: usize, own: usize) -> impl Iterator<Item = usize> {
    (0..nodes).filter(move |node| *node != own)
}

/// Votes for what it should, and for something else, to everyone.
fn double_voter(own: usize, nodes: usize) -> Lie {
    Box::new(move |key: &Keypair, message: &Message, _: &mut Dice| {
        let mut said = vec![message.clone()];
        if let Content::Vote(signed) = &message.content {
            let other = if signed.ballot.block.is_some() { None } else { Some(Hash([9; 32])) };
            let vote = Vote { block: other, ..signed.ballot.clone() };
            let content = Content::Vote(Signed::new(vote, &chain(), key));
            said.push(Message { content, copy: 0 });
        }
        others(nodes, own).flat_map(|to| said.iter().map(move |message| (to, message.clone()))).collect()
    })
}

/// The other block of each that has one. Liars who work together share it.
type Twins = Rc<RefCell<BTreeMap<Hash, Hash>>>;

/// Proposes one block to some and another to the others, and votes for both.
fn two_faced(own: usize, nodes: usize, first: &'static [usize], twins: Twins) -> Lie {
    // A proposer votes before it proposes, and only then has its block a twin: such a vote is held until the next message.
    let mut held: Option<Message> = None;
    Box::new(move |key: &Keypair, message: &Message, _: &mut Dice| {
        if let Content::Proposal(signed, honest) = &message.content {
            let (height, parent, round) = (honest.header.height, honest.header.parent, signed.ballot.round);
            let twin = block(height, parent, key.address(), round, honest.header.timestamp.0 + 1_000_000);
            let twin_hash = twin.hash();
            twins.borrow_mut().insert(honest.hash(), twin_hash);
            let ballot = Proposal { block: twin_hash, ..signed.ballot.clone() };
            let other = Content::Proposal(Signed::new(ballot, &chain(), key), Box::new(twin));
            let other = Message { content: other, copy: message.copy };
            let mut sent = faces(own, nodes, first, message, &other);
            if let Some(vote) = held.take() {
                sent.extend(faces(own, nodes, first, &vote, &other_vote(key, &vote, &twins)));
            }
            return sent;
        }
        if let Content::Vote(signed) = &message.content
            && signed.ballot.block.is_some_and(|block| !twins.borrow().contains_key(&block))
            && held.as_ref() != Some(message)
        {
            let before = held.replace(message.clone());
            return before.iter().flat_map(|vote| faces(own, nodes, first, vote, vote)).collect();
        }
        let mut sent = faces(own, nodes, first, message, &other_vote(key, message, &twins));
        sent.extend(held.take().iter().flat_map(|vote| faces(own, nodes, first, vote, vote)));
        sent
    })
}

/// The same vote for the other block.
fn other_vote(key: &Keypair, message: &Message, twins: &Twins) -> Message {
    let Content::Vote(signed) = &message.content else { return message.clone() };
    let block = signed.ballot.block.map(|block| twins.borrow().get(&block).copied().unwrap_or(block));
    let content = Content::Vote(Signed::new(Vote { block, ..signed.ballot.clone() }, &chain(), key));
    Message { content, copy: message.copy }
}

/// One face for `first`, the other for the rest.
fn faces(own: usize, nodes: usize, first: &[usize], one: &Message, other: &Message) -> Vec<(usize, Message)> {
    others(nodes, own).map(|to| (to, if first.contains(&to) { one.clone() } else { other.clone() })).collect()
}

/// Proposes blocks that break the rules.
fn bad_proposer(own: usize, nodes: usize) -> Lie {
    Box::new(move |key: &Keypair, message: &Message, _: &mut Dice| {
        let mut message = message.clone();
        if let Content::Proposal(signed, honest) = &message.content {
            let bad = block(honest.header.height, honest.header.parent, key.address(), signed.ballot.round, BAD);
            let mut ballot = signed.ballot.clone();
            ballot.block = bad.hash();
            message.content = Content::Proposal(Signed::new(ballot, &chain(), key), Box::new(bad));
        }
        others(nodes, own).map(|to| (to, message.clone())).collect()
    })
}

fn mute() -> Lie {
    Box::new(|_: &Keypair, _: &Message, _: &mut Dice| Vec::new())
}

fn honest_go_on(seed: u64, lie: impl Fn() -> Lie) -> Cluster {
    let mut cluster = Cluster::new(4, seed);
    cluster.members[0].lie = Some(lie());
    cluster.run(60_000);
    let heights = cluster.heights();
    assert!(heights[1..].iter().all(|height| *height > 15), "seed {seed}: {heights:?}");
    assert!(cluster.forks.is_empty(), "seed {seed}");
    let liar = cluster.members[0].key.address();
    assert!(cluster.proofs.iter().all(|proof| proof.validator() == liar), "seed {seed}: nobody else is accused");
    cluster
}

#[test]
fn a_double_voter_is_proved_guilty() {
    for seed in 0..10 {
        let cluster = honest_go_on(seed, || double_voter(0, 4));
        assert!(!cluster.proofs.is_empty(), "seed {seed}");
        let key = cluster.members[0].key.public();
        assert!(cluster.proofs.iter().all(|proof| proof.check(&chain(), &key).is_ok()));
    }
}

#[test]
fn a_proposer_of_two_blocks_gets_one_or_none_through() {
    for seed in 0..10 {
        honest_go_on(seed, || two_faced(0, 4, &[1], Twins::default()));
    }
}

#[test]
fn bad_blocks_are_voted_down() {
    for seed in 0..10 {
        let cluster = honest_go_on(seed, || bad_proposer(0, 4));
        assert!(cluster.members[1].refused > 0, "seed {seed}");
        assert!(cluster.members[1].chain.iter().all(|block| block.header.timestamp.0 != BAD));
    }
}

#[test]
fn silence_costs_rounds_only() {
    for seed in 0..10 {
        assert!(honest_go_on(seed, mute).proofs.is_empty(), "seed {seed}");
    }
}

#[test]
fn half_of_the_stake_can_fork_the_chain_and_is_named() {
    let mut forked = 0;
    for seed in 0..20 {
        let mut cluster = Cluster::new(4, seed);
        let twins = Twins::default();
        cluster.members[0].lie = Some(two_faced(0, 4, &[1, 2], twins.clone()));
        cluster.members[1].lie = Some(two_faced(1, 4, &[0, 2], twins));
        cluster.run(60_000);
        forked += usize::from(!cluster.forks.is_empty());
        let liars: BTreeSet<_> = cluster.members[..2].iter().map(|member| member.key.address()).collect();
        assert!(cluster.proofs.iter().all(|proof| liars.contains(&proof.validator())), "seed {seed}");
    }
    assert!(forked > 0, "the harness can see a fork");
}
