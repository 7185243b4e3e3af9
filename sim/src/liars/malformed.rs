//! Random bytes where a message should be: on all topics, as requests, and as answers to all that is asked.

use super::{Answer, Deed, Liar, noise};
use crate::entropy;
use assay_node::{chain::sync::Request, p2p::Topic};
use libp2p::PeerId;
use std::time::Duration;

/// Bytes of one message, at most.
const BYTES_MAX: u64 = 8192;

pub(super) struct Malformed;

impl Deed for Malformed {
    fn every(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn act(&mut self, liar: &mut Liar) {
        for topic in Topic::of(liar.view.identity.consensus) {
            let bytes = some_noise(liar);
            liar.publish(*topic, bytes);
        }
        for peer in liar.connected() {
            let bytes = some_noise(liar);
            liar.ask(&peer, bytes.into());
        }
    }

    fn answer(&mut self, liar: &mut Liar, _: PeerId, _: &Request) -> Answer {
        liar.did(1);
        Answer::Say(some_noise(liar).into())
    }
}

fn some_noise(liar: &mut Liar) -> Vec<u8> {
    let len = entropy::below(&mut liar.stream, BYTES_MAX);
    noise(&mut liar.stream, len as usize)
}
