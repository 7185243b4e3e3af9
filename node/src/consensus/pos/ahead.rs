//! Messages for the next height, which come before this node has finished the present one. Kept and taken up then.

use super::message::{Content, Message};
use crate::{crypto::Address, types::Height};
use std::collections::BTreeMap;

/// Messages of one validator that are kept, at most: a proposal and both votes of some rounds.
pub const AHEAD_MESSAGES_MAX: usize = 32;
/// Bytes of proposed blocks that are kept, at most.
pub const AHEAD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is kept.
#[derive(Debug, Default)]
pub struct Ahead {
    messages: Vec<Message>,
    counts: BTreeMap<Address, usize>,
    bytes: usize,
}

impl Ahead {
    /// Keeps a message that `validator` has signed, if there is room.
    pub fn keep(&mut self, validator: Address, message: Message) {
        let size = match &message.content {
            Content::Proposal(_, block) => crate::encode(block.as_ref()).len(),
            Content::Vote(_) | Content::Polka(_) | Content::Round(_) => 0,
        };
        let count = self.counts.entry(validator).or_default();
        if *count < AHEAD_MESSAGES_MAX && self.bytes + size <= AHEAD_BYTES_MAX {
            *count += 1;
            self.bytes += size;
            self.messages.push(message);
        }
    }

    /// Takes the messages for `height` out, in the order in which they came, and forgets those of lower heights.
    pub fn take(&mut self, height: Height) -> Vec<Message> {
        let all = std::mem::take(self).messages;
        let (now, later): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|message| message.content.height() >= height)
            .partition(|message| message.content.height() == height);
        // Who has sent what is left does not matter: it is of one height, and was counted when it came.
        self.messages = later;
        now
    }

    /// Messages that are kept.
    pub fn len(&self) -> usize {
        self.messages.len()
    }
}
