//! One node on its host, and what it is seen to do.

use super::{seams, spec::NodeSpec};
use crate::{HostId, World, disk::Disk, world::current_clock};
use assay_node::{
    Node, NodeView,
    chain::ChainEvent,
    types::{Block, Height},
};
use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};
use tokio::sync::{broadcast::error::RecvError, oneshot};

/// Something that a node's chain did.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The node has started, with the chain that its disk holds.
    Started,
    /// It reported an event; a new head comes with its block, unless that was taken back in the same step.
    Event(ChainEvent, Option<Arc<Block>>),
    /// It reported more at once than a listener can take; its store has all of it.
    Missed,
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
}

impl NodeHost {
    pub(super) fn new(host: HostId, spec: NodeSpec) -> Self {
        Self { host, spec, starts: 0, shared: Rc::default() }
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
        let (disk, spec, shared) = (world.disk(self.host).clone(), self.spec.clone(), self.shared.clone());
        world.boot(self.host, move || run(disk, spec, shared, stopped));
    }
}

/// The main of a host: what `assay-node run` does, without the files and signals.
async fn run(disk: Disk, spec: NodeSpec, shared: Rc<RefCell<Shared>>, stopped: oneshot::Receiver<()>) -> String {
    let seams = match seams::simulated(&disk, spec.config.api.listen).await {
        Ok(seams) => seams,
        Err(error) => return format!("cannot bind {}: {error}", spec.config.api.listen),
    };
    let mut node = match Node::start(spec.setup(), seams).await {
        Ok(node) => node,
        Err(error) => return format!("cannot start: {error}"),
    };
    let view = node.view().clone();
    let watcher = tokio::task::spawn_local(watch(view.clone(), shared.clone()));
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

/// Notes each chain event with the time it came at.
async fn watch(view: NodeView, shared: Rc<RefCell<Shared>>) {
    let mut events = view.events();
    let note = |seen| {
        let now = current_clock().expect("the watcher runs on the node's host").now();
        shared.borrow_mut().seen.push((now, seen));
    };
    note(Seen::Started);
    loop {
        match events.recv().await {
            Ok(event) => {
                let block = match &event {
                    ChainEvent::Head { height, hash, .. } => block(&view, *height, hash),
                    _ => None,
                };
                note(Seen::Event(event, block));
            }
            Err(RecvError::Lagged(_)) => note(Seen::Missed),
            Err(RecvError::Closed) => return,
        }
    }
}

/// The block, when the node still has it; a damaged store shows itself in the node, not here.
fn block(view: &NodeView, height: Height, hash: &assay_node::crypto::Hash) -> Option<Arc<Block>> {
    let block = view.store.block(hash).ok().flatten()?;
    (block.header.height == height).then(|| Arc::new(block))
}
