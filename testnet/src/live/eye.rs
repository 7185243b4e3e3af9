//! What a node's API says of it, once a second: the same that the simulator's harness sees from within, but for its state.

use assay_node::{
    Fill, StorageState,
    api::{
        Client,
        client::ClientError,
        model::{BlockInfo, HeadInfo, MetricsInfo},
    },
    chain::ChainEvent,
    crypto::{Address, Hash},
    types::{Block, Header, Height, Seal},
};
use assay_sim::ordeal::{Met, Seen, Shown};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// How long one question may take: an answer that comes later belongs to the next second.
const ASK_MAX: Duration = Duration::from_millis(900);
/// Blocks that are fetched for one look; a node that is further ahead is read in several.
const BLOCKS_MAX: u64 = 200;

/// What one look at a node gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// What its chain did since the last one.
    pub seen: Vec<Seen>,
    /// What it shows; none when it does not answer.
    pub shown: Option<Shown>,
    /// How full everything is that it bounds.
    pub fills: Vec<Fill>,
}

/// One node's API, and what was seen of its chain.
pub(crate) struct Eye {
    client: Client,
    account: Address,
    /// The blocks by height that were seen, from genesis on.
    chain: Vec<Hash>,
    /// Its own blocks, wherever they were seen.
    own: BTreeSet<Hash>,
    /// Its store lacks blocks that it had, and gets them back.
    rebuilding: bool,
    rebuilt: u64,
    /// How often it was started.
    starts: u64,
}

impl Eye {
    /// An eye on the node behind `client`, whose blocks pay `account`, on the chain of `genesis`.
    pub fn new(client: Client, account: Address, genesis: Hash) -> Self {
        let (own, chain) = (BTreeSet::new(), vec![genesis]);
        Self { client, account, chain, own, rebuilding: false, rebuilt: 0, starts: 0 }
    }

    /// The node is started; `lost` when its data directory was taken away before.
    pub fn started(&mut self, lost: bool) {
        self.starts += 1;
        self.rebuilt = 0;
        self.rebuilding |= lost;
    }

    /// The head that was seen last.
    pub fn head(&self) -> Hash {
        *self.chain.last().expect("genesis is always there")
    }

    /// Looks once.
    pub async fn look(&mut self) -> Look {
        let Ok(metrics) = self.client.get_json::<MetricsInfo>("/api/metrics", ASK_MAX).await else {
            return Look::default();
        };
        let numbers = Numbers(&metrics);
        let shown = numbers.shown(self.starts);
        let rebuilt = numbers.of("assay_storage_rebuilt_total");
        self.rebuilding |= rebuilt > self.rebuilt || !shown.storage.serves();
        self.rebuilt = rebuilt;
        let fills = numbers.fills();
        let mut seen = Vec::new();
        // A node that has just stopped serving is read when it serves again.
        if let Ok(Some(read)) = self.read().await {
            self.rebuilding = false;
            seen.extend(self.own_blocks(&read));
            seen.push(read);
        }
        Look { seen, shown: Some(shown), fills }
    }

    /// Reads the chain down to where it agrees with what was seen. None when nothing changed, or it changed meanwhile.
    async fn read(&mut self) -> Result<Option<Seen>, ClientError> {
        let head: HeadInfo = self.client.head(ASK_MAX).await?;
        let known = self.chain.len() as u64 - 1;
        // What is far ahead is read from below, in parts: nothing that was seen is above it.
        let top = head.height.0.min(known + BLOCKS_MAX);
        let (mut blocks, mut height) = (Vec::new(), top);
        let mut above: Option<Hash> = None;
        loop {
            if self.chain.get(height as usize).is_some_and(|hash| Some(*hash) == above)
                || (above.is_none() && top == head.height.0 && self.chain.get(height as usize) == Some(&head.hash))
            {
                break;
            }
            let info: BlockInfo = self.client.get_json(&format!("/block/{height}"), ASK_MAX).await?;
            if above.is_some_and(|hash| hash != info.hash) {
                // It was reorganised between two answers: the next look sees one chain.
                return Ok(None);
            }
            if self.chain.get(height as usize) == Some(&info.hash) {
                break;
            }
            above = Some(info.parent);
            let Some(block) = block(info) else { return Ok(None) };
            blocks.push(Arc::new(block));
            height -= 1;
        }
        let fork = Height(height);
        let confirmed = Height(head.confirmed_height.0.min(top));
        if blocks.is_empty() && fork.0 == known && !self.rebuilding {
            return Ok(Some(Seen::Read { fork, blocks, confirmed, rebuilding: false }));
        }
        blocks.reverse();
        self.chain.truncate(height as usize + 1);
        self.chain.extend(blocks.iter().map(|block| block.hash()));
        Ok(Some(Seen::Read { fork, blocks, confirmed, rebuilding: self.rebuilding }))
    }

    /// The node's own blocks among those that were read, which it has made.
    fn own_blocks(&mut self, read: &Seen) -> Vec<Seen> {
        let Seen::Read { blocks, .. } = read else { return Vec::new() };
        let mine = blocks.iter().filter(|block| block.header.proposer == self.account);
        let made: Vec<_> = mine.map(|block| (block.header.height, block.hash())).collect();
        let new = made.into_iter().filter(|(_, hash)| self.own.insert(*hash));
        new.map(|(height, hash)| Seen::Event(ChainEvent::Produced { height, hash }, None)).collect()
    }
}

/// A block out of what the API says of it; none for a seal that it does not tell.
fn block(info: BlockInfo) -> Option<Block> {
    let seal = match (info.difficulty, info.nonce, info.round, info.certificate, info.rank, info.leader) {
        (Some(difficulty), Some(nonce), ..) => Seal::Pow { difficulty, nonce },
        (_, _, Some(round), Some(certificate), ..) => Seal::Pos { round, certificate },
        (.., Some(rank), Some(leader)) => Seal::Poot { rank, key: leader.key, signature: leader.signature },
        _ => return None,
    };
    let header = Header {
        height: info.height,
        parent: info.parent,
        transactions_root: info.transactions_root,
        state_root: info.state_root,
        timestamp: info.timestamp,
        proposer: info.proposer,
        seal,
    };
    let transactions = info.transactions.into_iter().map(|identified| identified.transaction).collect();
    Some(Block { header, transactions })
}

/// The numbers of a node.
struct Numbers<'a>(&'a MetricsInfo);

impl Numbers<'_> {
    /// The number of that name; 0 where there is none.
    fn of(&self, name: &str) -> u64 {
        let samples = self.0.metrics.values().flat_map(|metric| &metric.samples);
        let value = samples.filter(|sample| sample.name == name).find_map(|sample| sample.value);
        value.map_or(0, |value| value.max(0.0) as u64)
    }

    fn storage(&self) -> StorageState {
        let samples = self.0.metrics.values().flat_map(|metric| &metric.samples);
        let mut on = samples.filter(|sample| sample.name == "assay_storage_state" && sample.value == Some(1.0));
        let name = on.next().and_then(|sample| sample.labels.get("state"));
        let state = StorageState::ALL.into_iter().find(|state| name.is_some_and(|name| name == state.name()));
        state.unwrap_or_default()
    }

    fn shown(&self, starts: u64) -> Shown {
        let damage = self.of("assay_storage_damage_found_total");
        Shown {
            starts,
            height: Height(self.of("assay_chain_height")),
            confirmed: Height(self.of("assay_chain_confirmed_height")),
            peers: self.of("assay_peers_connected"),
            mempool: self.of("assay_mempool_transactions"),
            storage: self.storage(),
            met: Met {
                damage,
                all: damage + self.of("assay_storage_failures_total") + self.of("assay_storage_full_total"),
            },
            received: self.of("assay_p2p_messages_received_total"),
        }
    }

    fn fills(&self) -> Vec<Fill> {
        let fill = |name: &'static str| Fill {
            name,
            now: self.of(&format!("assay_load_{name}")),
            peak: self.of(&format!("assay_load_{name}_peak")),
            max: self.of(&format!("assay_load_{name}_max")),
        };
        assay_node::LOADS.map(fill).to_vec()
    }
}
