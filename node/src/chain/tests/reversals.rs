//! What is said when confirmed blocks are taken back, and when only others are.

use super::support::{Bed, CONFIRMATIONS, at, genesis, peer, settings};
use crate::{
    chain::{
        ChainEvent, Core, REORG_DEPTH_MAX, REVERTED_SHOWN_MS, Reversals, Reverted, Source, Verdict, validation::Rules,
    },
    types::{Block, Height, Work},
};

/// Gives all blocks to a node, and gives what it told of branches.
fn give(to: &mut Bed, blocks: &[Block]) -> Vec<ChainEvent> {
    let mut events = Vec::new();
    for block in blocks {
        events.extend(to.give(Source::Peer(peer(1)), block.clone(), at(60_000)).1);
    }
    events.retain(|event| matches!(event, ChainEvent::Reorganised { .. } | ChainEvent::ConfirmedReverted { .. }));
    events
}

#[test]
fn a_longer_secret_branch_raises_the_alarm() {
    let (mut honest, mut secret) = (Bed::new(1), Bed::new(2));
    let common = honest.mine_all(1);
    give(&mut secret, &common);
    honest.mine_all(4);
    let old_head = honest.head().hash;
    assert_eq!(honest.head().confirmed, Height(5 - CONFIRMATIONS));

    let events = give(&mut honest, &secret.mine_all(6));
    let (fork, confirmed) = (Height(1), Height(3));
    assert_eq!(
        events,
        [ChainEvent::Reorganised { depth: 4, fork, old_head }, ChainEvent::ConfirmedReverted { fork, confirmed },]
    );
    let seen = Reversals { confirmed_reverted: 2, recent: Some(Reverted { fork, confirmed }), forks_refused: 0 };
    assert_eq!(honest.core.reversals(), seen);
    honest.core.set_elapsed(REVERTED_SHOWN_MS);
    assert_eq!(honest.core.reversals(), seen, "it is shown for as long as that");
    honest.core.set_elapsed(1 + REVERTED_SHOWN_MS);
    assert_eq!(honest.core.reversals(), Reversals { recent: None, ..seen });
}

#[test]
fn an_ordinary_reorganisation_does_not() {
    let (mut one, mut other) = (Bed::new(1), Bed::new(2));
    let blocks = one.mine_all(5);
    give(&mut other, &blocks[..3]);
    let old_head = one.head().hash;
    let events = give(&mut one, &other.mine_all(3));
    assert_eq!(events, [ChainEvent::Reorganised { depth: CONFIRMATIONS, fork: Height(3), old_head }]);
    assert_eq!(one.core.reversals(), Reversals::default());
}

#[test]
fn a_branch_that_leaves_the_chain_too_deep_is_refused_and_counted() {
    let mut bed = Bed::new(2);
    let branch = bed.mine_all(1).remove(0);
    // Headers alone stand for a long chain.
    let core = |height: u64| {
        let first = branch.header.parent;
        let mut header = genesis().block(branch.header.state_root).header;
        let mut headers = vec![(first, header.clone(), Work(0))];
        for height in (1..=height).map(Height) {
            header.parent = headers.last().expect("there is one").0;
            header.height = height;
            headers.push((header.hash(), header.clone(), Work(64 * u128::from(height.0))));
        }
        Core::new(Rules::of(&genesis()), settings(1), first, headers)
    };
    for (height, verdict, refused) in [(REORG_DEPTH_MAX, Verdict::Accept, 0), (REORG_DEPTH_MAX + 1, Verdict::Reject, 1)]
    {
        let mut core = core(height);
        let given = core.on_block(Source::Peer(peer(1)), branch.clone(), at(60_000), &bed.store).0;
        assert_eq!((given, core.reversals().forks_refused), (verdict, refused), "with the head at {height}");
    }
}
