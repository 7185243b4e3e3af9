//! Seeing what is confirmed: blocks are read one by one, once their height is confirmed.

use super::{ASK_MAX, load::Shared};
use assay_node::{
    api::{client::ClientError, model::BlockInfo},
    types::Height,
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Between two looks: a confirmation is seen so much late, at most, while the node that is asked is well.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Reads every block from `next` on as it is confirmed, until the load is over. A node that does not answer is left for the
/// next one, which may be a little behind.
pub(crate) async fn watch(shared: Arc<Shared>, mut next: Height) {
    let mut node = 0;
    while !shared.over.is_cancelled() {
        if look(&shared, node, &mut next).await.is_err() {
            node = (node + 1) % shared.clients.len();
        }
        sleep(LOOK_AGAIN).await;
    }
}

async fn look(shared: &Shared, node: usize, next: &mut Height) -> Result<(), ClientError> {
    let client = &shared.clients[node];
    let confirmed = client.head(ASK_MAX).await?.confirmed_height;
    while *next <= confirmed && !shared.over.is_cancelled() {
        let block: BlockInfo = client.get_json(&format!("/block/{next}"), ASK_MAX).await?;
        let mut tally = shared.tally();
        for transaction in &block.transactions {
            tally.confirmed(transaction.hash);
        }
        drop(tally);
        *next = next.next();
    }
    Ok(())
}
