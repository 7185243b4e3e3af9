//! One node on its host, and what it is seen to do.

use super::{
    chore::{self, Chore},
    seams::{self, Machine},
    spec::NodeSpec,
};
use crate::{HostId, World, entropy, ordeal::Seen, world::current_clock};
use assay_node::{
    Node, NodeView, StartError,
    chain::ChainEvent,
    crypto::Hash,
    storage::StoreError,
    types::{Block, Height},
};
use std::{cell::RefCell, ops::RangeInclusive, rc::Rc, sync::Arc, time::Duration};
use tokio::sync::{broadcast::error::RecvError, oneshot};

/// How long a process takes from its start until it answers, as was measured of real ones. Work takes no time in a
/// simulation, and without it all nodes would begin at the same instant.
const START_UP: RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_millis(600);

/// What the host's main and the harness share. Both are on one thread, and never hold it at the same time.
#[derive(Default)]
struct Shared {
    view: Option<NodeView>,
    stop: Option<oneshot::Sender<()>>,
    seen: Vec<(Duration, Seen)>,
    /// Whether it has refused to start because of a newer schema.
    refused: bool,
    /// The outcome of a backup that was asked for; none inside while it is made.
    backup: Option<Option<Result<String, String>>>,
}

/// A node and its host.
pub struct NodeHost {
    host: HostId,
    spec: NodeSpec,
    starts: u64,
    shared: Rc<RefCell<Shared>>,
    chain: Rc<RefCell<Vec<Hash>>>,
    /// Its data directory was taken away since it was last seen.
    lost_volume: bool,
}

impl NodeHost {
    pub(super) fn new(host: HostId, spec: NodeSpec) -> Self {
        Self { host, spec, starts: 0, shared: Rc::default(), chain: Rc::default(), lost_volume: false }
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

    /// Its data directory is about to be taken away.
    pub(super) fn lose_volume(&mut self) {
        self.lost_volume = true;
    }

    /// Whether it refused to start because of a newer schema, at its last start.
    pub(super) fn has_refused(&self) -> bool {
        self.shared.borrow().refused
    }

    /// Asks the running node for a backup.
    pub(super) fn begin_backup(&mut self, world: &mut World) {
        let Some(view) = self.view() else { return };
        self.shared.borrow_mut().backup = Some(None);
        let shared = self.shared.clone();
        world.with_host(self.host, || {
            tokio::task::spawn_local(async move {
                let outcome = chore::back_up(&view).await;
                shared.borrow_mut().backup = Some(Some(outcome));
            })
        });
    }

    /// The outcome of the backup that was asked for; once.
    pub(super) fn take_backup(&mut self) -> Option<Result<String, String>> {
        let mut shared = self.shared.borrow_mut();
        let outcome = shared.backup.take()?;
        if outcome.is_none() {
            shared.backup = Some(None);
        }
        outcome
    }

    /// Forgets a backup that the end of the process has cut off. Says whether there was one.
    pub(super) fn abandon_backup(&mut self) -> bool {
        self.shared.borrow_mut().backup.take().is_some()
    }

    /// Whether a backup is under way.
    pub(super) fn is_backing_up(&self) -> bool {
        self.shared.borrow().backup.is_some()
    }

    pub(super) fn boot(&mut self, world: &mut World, chore: Chore) {
        self.starts += 1;
        let (stop, stopped) = oneshot::channel();
        {
            let mut shared = self.shared.borrow_mut();
            shared.stop = Some(stop);
            shared.refused = false;
            shared.backup = None;
        }
        let (machine, spec) = (Machine::of(world, self.host), self.spec.clone());
        let watch = Watch {
            shared: self.shared.clone(),
            chain: self.chain.clone(),
            lost_volume: std::mem::take(&mut self.lost_volume),
        };
        let start = format!("{} {}", world.name(self.host), self.starts);
        let start_up = entropy::duration(&mut world.stream("start-up", &start), *START_UP.start(), *START_UP.end());
        world.boot(self.host, move || async move {
            tokio::time::sleep(start_up).await;
            run(machine, spec, chore, watch, stopped).await
        });
    }
}

/// What the main of a host needs to tell what its node does.
struct Watch {
    shared: Rc<RefCell<Shared>>,
    chain: Rc<RefCell<Vec<Hash>>>,
    lost_volume: bool,
}

/// The main of a host: what an operator and `assay-node run` do, without the files and signals.
async fn run(machine: Machine, spec: NodeSpec, chore: Chore, watch: Watch, stopped: oneshot::Receiver<()>) -> String {
    let seams = match seams::simulated(machine, spec.config.api.listen).await {
        Ok(seams) => seams,
        Err(error) => return format!("cannot bind {}: {error}", spec.config.api.listen),
    };
    if let Err(error) = chore.run(&seams.disk, &spec) {
        return format!("before the start: {error}");
    }
    let shared = watch.shared.clone();
    let mut node = match Node::start(spec.setup(), seams).await {
        Ok(node) => node,
        Err(error) => {
            let newer = matches!(error, StartError::Store(StoreError::NewerSchema { .. }));
            shared.borrow_mut().refused = newer;
            return format!("cannot start: {error}");
        }
    };
    let view = node.view().clone();
    let watcher = tokio::task::spawn_local(watch.run(view.clone()));
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

impl Watch {
    /// Notes each chain event with the time it came at. `chain` is what was seen of the chain on this host, by height, in
    /// earlier processes as well.
    async fn run(self, view: NodeView) {
        let mut events = view.events();
        self.read(&view, self.lost_volume);
        loop {
            match events.recv().await {
                // What is still queued is older than what the store says.
                Ok(ChainEvent::Reloaded { rebuilding, .. }) => {
                    events = view.events();
                    self.read(&view, rebuilding);
                }
                Err(RecvError::Lagged(_)) => {
                    events = view.events();
                    self.read(&view, false);
                }
                Ok(event) => {
                    let block = follow(&view, &event, &mut self.chain.borrow_mut());
                    self.note(Seen::Event(event, block));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn note(&self, seen: Seen) {
        let now = current_clock().expect("the watcher runs on the node's host").now();
        self.shared.borrow_mut().seen.push((now, seen));
    }

    fn read(&self, view: &NodeView, rebuilding: bool) {
        let rebuilding = rebuilding || !view.snapshot.borrow().storage.state.serves();
        if let Some(seen) = read(view, &mut self.chain.borrow_mut(), rebuilding) {
            self.note(seen);
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
        ChainEvent::Produced { .. }
        | ChainEvent::Reloaded { .. }
        | ChainEvent::Confirmed { .. }
        | ChainEvent::ConfirmedReverted { .. } => {}
    }
    None
}

/// Reads the stored chain down to where it agrees with `chain`, and brings that in line. `None` when the store cannot be
/// read, which the node itself reports.
fn read(view: &NodeView, chain: &mut Vec<Hash>, rebuilding: bool) -> Option<Seen> {
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
    Some(Seen::Read { fork, blocks, confirmed, rebuilding })
}
