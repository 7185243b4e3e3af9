//! One node on its host, and what it is seen to do.

use super::{seams, spec::NodeSpec};
use crate::{HostId, World, disk::Disk, world::current_clock};
use assay_node::{
    Node, NodeView,
    chain::ChainEvent,
    crypto::Hash,
    types::{Block, Height},
};
use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};
use tokio::sync::{broadcast::error::RecvError, oneshot};

/// Something that a node's chain did.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The node has started, or has reported more at once than a listener can take: its chain was read from its store.
    Read {
        /// Up to here it is as it was seen before.
        fork: Height,
        /// The blocks above, the lowest first.
        blocks: Vec<Arc<Block>>,
        /// The highest confirmed height.
        confirmed: Height,
    },
    /// It reported an event; a new head comes with its block, unless that was taken back in the same step.
    Event(ChainEvent, Option<Arc<Block>>),
}

/// What the host's main and the harness share. Both are on one thread, and never hold it at the same time.
#[derive(Default)]
struct Shared {
    view: Option<NodeView>,
    stop: Option<oneshot::Sender<()>>,
    seen: Vec<(Duration, Seen)>,
}

/// A node and its host.
pub struct NodeHost {
    host: HostId,
    spec: NodeSpec,
    starts: u64,
    shared: Rc<RefCell<Shared>>,
    chain: Rc<RefCell<Vec<Hash>>>,
}

impl NodeHost {
    pub(super) fn new(host: HostId, spec: NodeSpec) -> Self {
        Self { host, spec, starts: 0, shared: Rc::default(), chain: Rc::default() }
    }

    pub(super) fn host(&self) -> HostId {
        self.host
    }

    pub(super) fn starts(&self) -> u64 {
        self.starts
    }

    pub(super) fn view(&self) -> Option<NodeView> {
        self.shared.borrow().view.clone()
    }

    pub(super) fn take_seen(&mut self) -> Vec<(Duration, Seen)> {
        std::mem::take(&mut self.shared.borrow_mut().seen)
    }

    /// Lets go of the node's handle, as its process is about to end.
    pub(super) fn forget(&mut self) {
        let mut shared = self.shared.borrow_mut();
        shared.view = None;
        shared.stop = None;
    }

    pub(super) fn ask_to_stop(&mut self) {
        self.shared.borrow_mut().view = None;
        if let Some(stop) = self.shared.borrow_mut().stop.take() {
            // The node has failed and ended when nobody listens.
            let _already_over = stop.send(());
        }
    }

    pub(super) fn boot(&mut self, world: &mut World) {
        self.starts += 1;
        let (stop, stopped) = oneshot::channel();
        self.shared.borrow_mut().stop = Some(stop);
        let (disk, spec) = (world.disk(self.host).clone(), self.spec.clone());
        let (shared, chain) = (self.shared.clone(), self.chain.clone());
        world.boot(self.host, move || run(disk, spec, shared, chain, stopped));
    }
}

/// The main of a host: what `assay-node run` does, without the files and signals.
async fn run(
    disk: Disk,
    spec: NodeSpec,
    shared: Rc<RefCell<Shared>>,
    chain: Rc<RefCell<Vec<Hash>>>,
    stopped: oneshot::Receiver<()>,
) -> String {
    let seams = match seams::simulated(&disk, spec.config.api.listen).await {
        Ok(seams) => seams,
        Err(error) => return format!("cannot bind {}: {error}", spec.config.api.listen),
    };
    let mut node = match Node::start(spec.setup(), seams).await {
        Ok(node) => node,
        Err(error) => return format!("cannot start: {error}"),
    };
    let view = node.view().clone();
    let watcher = tokio::task::spawn_local(watch(view.clone(), shared.clone(), chain));
    shared.borrow_mut().view = Some(view);
    let end = tokio::select! {
        biased;
        failure = node.failed() => failure.to_string(),
        _ = stopped => match node.stop().await {
            Ok(()) => STOPPED.to_owned(),
            Err(failure) => failure.to_string(),
        },
    };
    watcher.abort();
    shared.borrow_mut().view = None;
    end
}

/// How a node's main ends after it was asked to stop.
pub(super) const STOPPED: &str = "stopped";

/// Notes each chain event with the time it came at. `chain` is what was seen of the chain on this host, by height, in
/// earlier processes as well.
async fn watch(view: NodeView, shared: Rc<RefCell<Shared>>, chain: Rc<RefCell<Vec<Hash>>>) {
    let mut events = view.events();
    let note = |seen| {
        let now = current_clock().expect("the watcher runs on the node's host").now();
        shared.borrow_mut().seen.push((now, seen));
    };
    let read = || {
        let Some(seen) = read(&view, &mut chain.borrow_mut()) else { return };
        note(seen);
    };
    read();
    loop {
        match events.recv().await {
            Ok(event) => {
                let block = follow(&view, &event, &mut chain.borrow_mut());
                note(Seen::Event(event, block));
            }
            Err(RecvError::Lagged(_)) => {
                // What is still queued is older than what the store says.
                events = view.events();
                read();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Brings `chain` in line with an event, and gives the block of a new head when the node still has it.
fn follow(view: &NodeView, event: &ChainEvent, chain: &mut Vec<Hash>) -> Option<Arc<Block>> {
    match event {
        ChainEvent::Reorganised { fork, .. } => chain.truncate(fork.0 as usize + 1),
        ChainEvent::Head { hash, .. } => {
            chain.push(*hash);
            return view.store.block(hash).ok().flatten().map(Arc::new);
        }
        ChainEvent::Produced { .. } | ChainEvent::Confirmed { .. } => {}
    }
    None
}

/// Reads the stored chain down to where it agrees with `chain`, and brings that in line. `None` when the store cannot be
/// read, which the node itself reports.
fn read(view: &NodeView, chain: &mut Vec<Hash>) -> Option<Seen> {
    let (mut blocks, mut fork) = (Vec::new(), view.store.head().ok()?.height);
    loop {
        let hash = view.store.canonical(fork).ok()??;
        if fork == Height(0) || chain.get(fork.0 as usize) == Some(&hash) {
            break;
        }
        blocks.push(Arc::new(view.store.block(&hash).ok()??));
        fork = fork.back(1);
    }
    blocks.reverse();
    chain.truncate(fork.0 as usize + 1);
    if chain.is_empty() {
        chain.push(view.identity.genesis);
    }
    chain.extend(blocks.iter().map(|block| block.hash()));
    let confirmed = view.snapshot.borrow().head.confirmed;
    Some(Seen::Read { fork, blocks, confirmed })
}
