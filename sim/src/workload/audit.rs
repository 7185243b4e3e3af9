//! At the end of a run: what was confirmed is asked of every node, over its API.

use super::{
    ANSWER_MAX, Nodes,
    oracle::{Answer, Oracle},
};
use crate::entropy::{self, Stream};
use assay_node::api::model::TransactionStatus;
use std::{cell::RefCell, time::Duration};

/// Transfers that each node is asked about, at most.
pub const QUESTIONS_MAX: usize = 40;
/// Only what was confirmed so long ago is asked for: nodes need not confirm at the same moment.
const CONFIRMED_AGO: Duration = Duration::from_secs(60);

/// Asks every node about a sample of what was confirmed. A node that does not answer is down, which others notice.
pub(super) async fn run(nodes: &Nodes, oracle: &RefCell<Oracle>, stream: &mut Stream) {
    let mut confirmed = oracle.borrow().confirmed_by(nodes.now().saturating_sub(CONFIRMED_AGO));
    entropy::shuffle(stream, &mut confirmed);
    confirmed.truncate(QUESTIONS_MAX);
    for (node, client) in nodes.clients.iter().enumerate() {
        for id in &confirmed {
            let answer = nodes.ask(oracle, node, ("tx", id), client.tx(*id, ANSWER_MAX)).await;
            let Ok(found) = answer else { break };
            let status = found.map(|transaction| transaction.status);
            let confirmed = matches!(status, Some(TransactionStatus::Included { confirmed: true, .. }));
            let said = status.map_or("unknown transaction".to_owned(), |status| format!("{status:?}"));
            oracle.borrow_mut().answered(Answer { node, id: *id, confirmed, said });
        }
    }
}
