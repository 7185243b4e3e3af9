//! The network between machines: who hears whom, when, and how often.

use super::support::Dice;

/// What the network does to messages.
#[derive(Clone, Debug)]
pub struct Network {
    /// The side that each node is on; those of one side hear each other.
    pub sides: Vec<u8>,
    /// Messages in a hundred that are lost.
    pub lost: u64,
    /// Messages in a hundred that come twice.
    pub doubled: u64,
    /// Delay, in milliseconds.
    pub delay: std::ops::Range<u64>,
}

impl Network {
    pub fn whole(nodes: usize) -> Self {
        Self { sides: vec![0; nodes], lost: 0, doubled: 0, delay: 10..80 }
    }

    pub fn connects(&self, a: usize, b: usize) -> bool {
        self.sides[a] == self.sides[b]
    }

    /// The delays after which a message comes: none, one or two.
    pub fn send(&self, from: usize, to: usize, dice: &mut Dice) -> Vec<u64> {
        if !self.connects(from, to) || dice.percent(self.lost) {
            return Vec::new();
        }
        let copies = if dice.percent(self.doubled) { 2 } else { 1 };
        (0..copies).map(|_| self.delay.start + dice.roll(self.delay.end - self.delay.start)).collect()
    }
}
