//! What a live run needs of whoever runs its nodes.

use super::{
    machine::Machine,
    relay::{LinkRule, RuleId},
};
use crate::TestnetError;
use assay_scenarios::{PlannedAction, Scenario};
use std::net::SocketAddr;

/// How a node's process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Whether it ended in order.
    pub in_order: bool,
    /// What is known, with the last line of its log.
    pub reason: String,
}

/// Nodes that run as real processes, by number from 0, whatever keeps them apart. Every method that takes a node panics
/// when there is none of that number.
pub(crate) trait Backend: Sized {
    /// Its name in records and on the command line.
    const NAME: &'static str;

    /// Why it cannot do this to its nodes; none when it can.
    fn refusal(action: &PlannedAction) -> Option<String>;

    /// Why it cannot run such a cluster at all; none when it can.
    fn refusal_of(scenario: &Scenario) -> Option<String>;

    /// How many nodes there are.
    fn count(&self) -> usize;

    /// Where a node's API is.
    fn api(&self, node: usize) -> SocketAddr;

    /// A node's files.
    fn machine(&mut self, node: usize) -> &mut Machine;

    /// Starts nodes that are down, all at once as far as that can be done.
    async fn start(&mut self, nodes: &[usize]) -> Result<(), TestnetError>;

    /// Ends nodes as `kill -9` does, all at once as far as that can be done.
    async fn kill(&mut self, nodes: &[usize]) -> Result<(), TestnetError>;

    /// Asks a node to stop, as SIGTERM does.
    async fn ask_to_stop(&mut self, node: usize) -> Result<(), TestnetError>;

    /// The process stands still, or goes on.
    async fn pause(&mut self, node: usize, still: bool) -> Result<(), TestnetError>;

    /// How the process of a node that was running has ended; once. None while it runs.
    async fn exited(&mut self, node: usize) -> Result<Option<Exit>, TestnetError>;

    /// A rule for links takes effect.
    async fn add_rule(&mut self, rule: LinkRule) -> Result<RuleId, TestnetError>;

    /// A rule ends. Returns what it met.
    async fn remove_rule(&mut self, rule: RuleId) -> Result<u64, TestnetError>;

    /// Ends everything that still runs.
    async fn end(&mut self) -> Result<(), TestnetError>;
}
