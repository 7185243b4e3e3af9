//! Many names around one node: each connects to it as often as it may, takes part in nothing, and shows it a chain that
//! ended when the lie began. A node that has only these believes that nothing happens.

use super::{Deed, Liar, new_name, wire};
use assay_node::{
    chain::sync::{Request, Response, Status},
    types::Block,
};
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    request_response::{Event as SyncEvent, Message},
    swarm::{
        SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{cell::Cell, rc::Rc, time::Duration};
use tokio::time::MissedTickBehavior;

/// Names: more than a node has places with the default settings.
const NAMES: usize = 80;
/// Time between two dials of one name. Of the many names one takes a place that gets free within a tenth of it.
const REDIAL: Duration = Duration::from_secs(1);

pub(super) struct Eclipse {
    /// Among the liar's peers.
    victim: usize,
    began: bool,
}

impl Eclipse {
    pub fn new(victim: usize) -> Self {
        Self { victim, began: false }
    }
}

impl Deed for Eclipse {
    fn act(&mut self, liar: &mut Liar) {
        if std::mem::replace(&mut self.began, true) {
            return;
        }
        let own = liar.view.snapshot.borrow().status;
        let Some((victim, address)) = liar.peers.get(self.victim).cloned() else { return };
        for _ in 0..NAMES {
            let key = new_name(&mut liar.stream);
            let name = Name {
                wire: wire::swarm(&key, &liar.chain, liar.view.identity.consensus),
                victim,
                address: address.clone(),
                stale: own,
            };
            tokio::task::spawn_local(name.surround(liar.deeds.clone()));
        }
    }
}

/// One of the names.
struct Name {
    wire: Swarm<wire::Wire>,
    victim: PeerId,
    address: Multiaddr,
    /// What it says of its chain for ever.
    stale: Status,
}

impl Name {
    async fn surround(mut self, deeds: Rc<Cell<u64>>) {
        let mut dials = tokio::time::interval(REDIAL);
        dials.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = dials.tick() => {
                    let dial = DialOpts::peer_id(self.victim)
                        .addresses(vec![self.address.clone()])
                        .condition(PeerCondition::DisconnectedAndNotDialing);
                    // It is connected or being dialled.
                    let _not_now = self.wire.dial(dial.build());
                }
                event = self.wire.select_next_some() => match event {
                    SwarmEvent::ConnectionEstablished { .. } => deeds.set(deeds.get() + 1),
                    SwarmEvent::Behaviour(wire::WireEvent::Sync(SyncEvent::Message {
                        message: Message::Request { request, channel, .. },
                        ..
                    })) => {
                        let said = match borsh::from_slice::<Request>(&request.bytes) {
                            Ok(Request::Status(_)) => Response::Status(self.stale),
                            Ok(Request::Blocks { .. }) => Response::Blocks(Vec::<Block>::new()),
                            _ => Response::Addresses(Vec::new()),
                        };
                        let said = assay_node::encode(&said).into();
                        let _victim_is_gone = self.wire.behaviour_mut().sync.send_response(channel, said);
                    }
                    _ => {}
                },
            }
        }
    }
}
