//! What the harness sees of simulated nodes through the handles that they gave when they started.

use crate::{
    World,
    cluster::Cluster,
    invariants::StoredState,
    ordeal::{Inside, Last, Met, Shown},
};
use assay_node::{
    NodeView,
    crypto::{Address, Hash},
    ledger,
    types::{Amount, Consensus, Height},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a node that runs shows.
pub(super) fn shown(view: &NodeView, starts: u64) -> Shown {
    let snapshot = *view.snapshot.borrow();
    let storage = snapshot.storage;
    Shown {
        starts,
        height: snapshot.head.height,
        confirmed: snapshot.head.confirmed,
        peers: snapshot.peers as u64,
        mempool: snapshot.mempool as u64,
        storage: storage.state,
        met: Met {
            damage: storage.damage_found,
            all: storage.damage_found + storage.failures + storage.full + storage.slowed,
        },
        received: view.metrics.messages_received.get(),
    }
}

/// A node at the end of the run.
pub(super) fn last(cluster: &Cluster, node: usize) -> Last {
    let head = cluster.snapshot(node).map(|snapshot| snapshot.head);
    Last {
        height: head.map_or(Height(0), |head| head.height),
        confirmed: head.map_or(Height(0), |head| head.confirmed),
        head: head.map(|head| head.hash),
        starts: cluster.starts(node),
    }
}

/// The store of a running node.
pub(super) struct Within<'a> {
    world: &'a mut World,
    cluster: &'a Cluster,
    view: NodeView,
    node: usize,
}

impl<'a> Within<'a> {
    /// None for a node that does not run.
    pub fn new(world: &'a mut World, cluster: &'a Cluster, node: usize) -> Option<Self> {
        let view = cluster.view(node).filter(|_| world.is_up(cluster.host(node)))?;
        Some(Self { world, cluster, view, node })
    }
}

impl Inside for Within<'_> {
    fn state(
        &mut self,
        height: Height,
        hash: &Hash,
        accounts: &BTreeSet<Address>,
        consensus: Consensus,
    ) -> Option<StoredState> {
        let view = &self.view;
        self.world.with_host(self.cluster.host(self.node), || state(view, height, hash, accounts, consensus))
    }
}

fn state(
    view: &NodeView,
    height: Height,
    hash: &Hash,
    accounts: &BTreeSet<Address>,
    consensus: Consensus,
) -> Option<StoredState> {
    // A store that is closed or rebuilt serves nobody, so nobody can read something wrong in it.
    if !view.snapshot.borrow().storage.state.serves() || view.store.canonical(height).ok().flatten() != Some(*hash) {
        return None;
    }
    let store = &*view.store;
    let accounts: Result<BTreeMap<_, _>, _> =
        accounts.iter().map(|address| Ok((*address, ledger::account(store, height, address)?))).collect();
    let read = || -> Result<StoredState, ledger::ReadError> {
        let root = ledger::state_root(store, height)?;
        let (is_pos, is_poot) = (consensus == Consensus::Pos, consensus == Consensus::Poot);
        let stakes = if is_pos { ledger::stakes(store, height)? } else { ledger::Stakes::default() };
        let operators = if is_poot { Some(ledger::operators(store, height)?) } else { None };
        let supply = ledger::supply(store, height)?.total;
        Ok(StoredState { root, supply, accounts: accounts?, stakes, operators })
    };
    match read() {
        Ok(state) => Some(state),
        // The store has noticed why, and the node is about to mend it.
        Err(_) if store.has_trouble() => None,
        // A state that cannot be read is as wrong as can be.
        Err(_) => {
            let (root, supply) = (Hash::default(), Amount(0));
            let (accounts, stakes) = (BTreeMap::new(), ledger::Stakes::default());
            Some(StoredState { root, supply, accounts, stakes, operators: None })
        }
    }
}
