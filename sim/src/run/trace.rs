//! What the chains did, as lines of the trace, and the trace's lanes for the record.

use crate::{World, ordeal::Seen, trace::Subsystem};
use assay_node::chain::ChainEvent;
use assay_reports::TraceHash;
use std::{collections::BTreeMap, fmt};

/// The subsystem of chain events in the trace.
pub(super) const CHAIN: Subsystem = Subsystem::new("chain");

/// What was seen, without a block's contents: its identifier is enough.
pub(super) struct Line<'a>(pub &'a Seen);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Seen::Read { fork, blocks, .. } => write!(f, "read {} blocks above {fork}", blocks.len()),
            Seen::Event(ChainEvent::Head { height, hash, transactions }, _) => {
                write!(f, "head {height} {hash} {} transactions", transactions.len())
            }
            Seen::Event(event, _) => write!(f, "{event:?}"),
        }
    }
}

/// The present state of every lane of the trace.
pub(super) fn lanes(world: &World) -> Vec<TraceHash> {
    let mut last = BTreeMap::new();
    for checkpoint in world.trace().checkpoints() {
        last.insert((checkpoint.host, checkpoint.subsystem), (checkpoint.index, checkpoint.digest));
    }
    let lanes = last.into_iter().map(|((host, subsystem), (events, digest))| TraceHash {
        host,
        subsystem: subsystem.to_owned(),
        events,
        hash: hex::encode(digest),
    });
    lanes.collect()
}
