//! The tree of recent blocks and the path between two of its leaves.
//!
//! Headers of the canonical chain are kept for the last [`TREE_WINDOW`] heights; their bodies are in the store. Side
//! blocks are kept whole, up to [`SIDE_BLOCKS_MAX`] and [`SIDE_BYTES_MAX`]; the lowest go first.

use crate::{
    consensus::Ancestors,
    crypto::Hash,
    types::{Block, Header, Height, Work},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A branch that leaves the canonical chain deeper than this below the head is refused, however heavy.
pub const REORG_DEPTH_MAX: u64 = 1000;

/// Canonical headers kept: the deepest fork, and from there back one retarget interval and the median's blocks.
pub const TREE_WINDOW: u64 = 2 * REORG_DEPTH_MAX + 48;

/// Side blocks kept, at most.
pub const SIDE_BLOCKS_MAX: usize = 2048;

/// Bytes of side blocks kept, at most.
pub const SIDE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Recent blocks by hash, and which of them are canonical.
#[derive(Debug)]
pub struct BlockTree {
    entries: BTreeMap<Hash, Entry>,
    /// Hashes of the canonical chain, the lowest first.
    canonical: VecDeque<Hash>,
    /// Height of the first of `canonical`.
    floor: Height,
    /// Side blocks by height, the candidates for being dropped.
    side: BTreeMap<(Height, Hash), usize>,
    side_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    header: Header,
    work: Work,
    /// Present in side blocks only.
    body: Option<Arc<Block>>,
}

/// The way from the canonical chain to the tip of a branch.
#[derive(Clone, Debug)]
pub struct Route {
    /// Height of the last block that both have.
    pub fork: Height,
    /// The branch above it, the lowest first, with the work of the chain up to each.
    pub blocks: Vec<(Hash, Arc<Block>, Work)>,
}

impl BlockTree {
    /// A tree of the canonical `headers`, the lowest first and none missing, with the work up to each.
    ///
    /// # Panics
    /// When `headers` is empty.
    pub fn new(headers: impl IntoIterator<Item = (Hash, Header, Work)>) -> Self {
        let mut entries = BTreeMap::new();
        let mut canonical = VecDeque::new();
        let mut floor = None;
        for (hash, header, work) in headers {
            floor.get_or_insert(header.height);
            canonical.push_back(hash);
            entries.insert(hash, Entry { header, work, body: None });
        }
        let floor = floor.expect("a chain has at least its genesis block");
        Self { entries, canonical, floor, side: BTreeMap::new(), side_bytes: 0 }
    }

    /// The head's identifier.
    pub fn head(&self) -> Hash {
        *self.canonical.back().expect("a chain has at least its genesis block")
    }

    /// The head's height.
    pub fn height(&self) -> Height {
        Height(self.floor.0 + self.canonical.len() as u64 - 1)
    }

    /// Side blocks in it, and their bytes.
    pub fn side(&self) -> (usize, usize) {
        (self.side.len(), self.side_bytes)
    }

    /// Whether the block is in the tree.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.entries.contains_key(hash)
    }

    /// Whether the block is on the canonical chain, within the window.
    pub fn is_canonical(&self, hash: &Hash) -> bool {
        self.header(hash).is_some_and(|header| self.canonical(header.height) == Some(*hash))
    }

    /// The header of a block in the tree.
    pub fn header(&self, hash: &Hash) -> Option<&Header> {
        self.entries.get(hash).map(|entry| &entry.header)
    }

    /// The work of the chain up to a block in the tree.
    pub fn work(&self, hash: &Hash) -> Option<Work> {
        self.entries.get(hash).map(|entry| entry.work)
    }

    /// The canonical block at a height within the window.
    pub fn canonical(&self, height: Height) -> Option<Hash> {
        let place = height.0.checked_sub(self.floor.0)?;
        self.canonical.get(usize::try_from(place).ok()?).copied()
    }

    /// Canonical hashes from the head down, ever further apart, and the window's last: where a peer finds our fork.
    pub fn locator(&self, genesis: Hash) -> Vec<Hash> {
        let mut hashes = Vec::new();
        let (mut height, mut step) = (self.height(), 1);
        while let Some(hash) = self.canonical(height) {
            hashes.push(hash);
            if hashes.len() >= 8 {
                step *= 2;
            }
            if height == Height(0) {
                break;
            }
            height = height.back(step);
        }
        hashes.push(genesis);
        hashes
    }

    /// Adds a block whose parent is in the tree.
    pub fn insert(&mut self, hash: Hash, block: Arc<Block>, work: Work) {
        self.insert_side(hash, block, work);
        self.drop_excess();
    }

    /// The way to `tip`, or `None` when a block on it has been dropped.
    pub fn route(&self, tip: Hash) -> Option<Route> {
        let mut blocks = Vec::new();
        let mut at = tip;
        loop {
            let entry = self.entries.get(&at)?;
            if self.canonical(entry.header.height) == Some(at) {
                blocks.reverse();
                return Some(Route { fork: entry.header.height, blocks });
            }
            blocks.push((at, entry.body.clone()?, entry.work));
            at = entry.header.parent;
        }
    }

    /// Makes `route` canonical. `reverted` are the blocks that it replaces, which become side blocks.
    pub fn switch(&mut self, route: &Route, reverted: Vec<Arc<Block>>) {
        for block in reverted {
            let hash = self.canonical.pop_back().expect("a reverted block was canonical");
            assert_eq!(hash, block.hash(), "blocks are reverted from the head down");
            let work = self.entries.remove(&hash).expect("a canonical block has an entry").work;
            self.insert_side(hash, block, work);
        }
        assert_eq!(self.height(), route.fork, "a route starts where the reverted blocks end");
        for (hash, block, work) in &route.blocks {
            self.remove_side(hash);
            self.entries.insert(*hash, Entry { header: block.header.clone(), work: *work, body: None });
            self.canonical.push_back(*hash);
        }
        while self.canonical.len() as u64 > TREE_WINDOW {
            let hash = self.canonical.pop_front().expect("the window is not empty");
            self.entries.remove(&hash);
            self.floor = self.floor.next();
        }
        self.drop_excess();
    }

    /// Removes a block that turned out wrong, and all that stand on it. Gives their hashes.
    pub fn remove_branch(&mut self, hash: Hash) -> Vec<Hash> {
        let mut gone = vec![hash];
        self.remove_side(&hash);
        // Side blocks are in order of height, so one pass meets parents before their children.
        for (_, child) in self.side.keys().copied().collect::<Vec<_>>() {
            let parent = self.entries.get(&child).map(|entry| entry.header.parent);
            if parent.is_some_and(|parent| gone.contains(&parent)) {
                self.remove_side(&child);
                gone.push(child);
            }
        }
        gone
    }

    /// The ancestors of the block that would stand on `parent`.
    pub fn ancestors(&self, parent: Hash) -> Branch<'_> {
        let mut side = BTreeMap::new();
        let mut at = parent;
        while let Some(entry) = self.entries.get(&at) {
            if self.canonical(entry.header.height) == Some(at) {
                break;
            }
            side.insert(entry.header.height, &entry.header);
            at = entry.header.parent;
        }
        Branch { tree: self, side }
    }

    fn insert_side(&mut self, hash: Hash, block: Arc<Block>, work: Work) {
        let size = crate::encode(block.as_ref()).len();
        self.side.insert((block.header.height, hash), size);
        self.side_bytes += size;
        self.entries.insert(hash, Entry { header: block.header.clone(), work, body: Some(block) });
    }

    fn remove_side(&mut self, hash: &Hash) {
        if let Some(entry) = self.entries.remove(hash) {
            let size = self.side.remove(&(entry.header.height, *hash));
            self.side_bytes -= size.unwrap_or(0);
        }
    }

    fn drop_excess(&mut self) {
        let too_deep = self.height().back(REORG_DEPTH_MAX);
        while let Some((&(height, hash), _)) = self.side.first_key_value() {
            let fits = self.side.len() <= SIDE_BLOCKS_MAX && self.side_bytes <= SIDE_BYTES_MAX;
            if fits && height >= too_deep {
                break;
            }
            self.remove_side(&hash);
        }
    }
}

/// The chain below a block, which may be a side block.
pub struct Branch<'a> {
    tree: &'a BlockTree,
    side: BTreeMap<Height, &'a Header>,
}

impl Ancestors for Branch<'_> {
    fn at(&self, height: Height) -> Option<&Header> {
        if let Some(header) = self.side.get(&height) {
            return Some(header);
        }
        self.tree.header(&self.tree.canonical(height)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::Address,
        types::{Seal, Timestamp},
    };

    fn block(parent: Hash, height: u64, salt: u64) -> Arc<Block> {
        let header = Header {
            height: Height(height),
            parent,
            transactions_root: Hash::default(),
            state_root: Hash::default(),
            timestamp: Timestamp(salt),
            proposer: Address([0; 20]),
            seal: Seal::Genesis,
        };
        Arc::new(Block { header, transactions: Vec::new() })
    }

    /// Adds a branch of `n` blocks on `from` and gives its hashes.
    fn grow(tree: &mut BlockTree, from: Hash, n: u64, salt: u64) -> Vec<Hash> {
        let mut parent = from;
        (0..n)
            .map(|_| {
                let height = tree.header(&parent).expect("the parent is there").height.next();
                let work = Work(tree.work(&parent).expect("the parent is there").0 + 1);
                let block = block(parent, height.0, salt);
                parent = block.hash();
                tree.insert(parent, block, work);
                parent
            })
            .collect()
    }

    fn tree() -> (BlockTree, Hash) {
        let genesis = block(Hash::default(), 0, 0);
        let hash = genesis.hash();
        (BlockTree::new([(hash, genesis.header.clone(), Work(0))]), hash)
    }

    #[test]
    fn switches_to_a_branch_and_back() {
        let (mut tree, genesis) = tree();
        let a = grow(&mut tree, genesis, 3, 1);
        let b = grow(&mut tree, a[0], 4, 2);
        let to_a = tree.route(a[2]).expect("all are there");
        assert_eq!((to_a.fork, to_a.blocks.len()), (Height(0), 3));
        tree.switch(&to_a, Vec::new());
        assert_eq!((tree.head(), tree.height()), (a[2], Height(3)));

        let to_b = tree.route(b[3]).expect("all are there");
        assert_eq!((to_b.fork, to_b.blocks.len()), (Height(1), 4));
        let reverted = to_a.blocks.iter().rev().take(2).map(|(_, block, _)| block.clone()).collect();
        tree.switch(&to_b, reverted);
        assert_eq!((tree.head(), tree.height()), (b[3], Height(5)));
        assert_eq!(tree.route(a[2]).expect("the old branch is kept").fork, Height(1));
        assert_eq!(tree.ancestors(a[2]).at(Height(2)).map(Header::hash), Some(a[1]));
        assert_eq!(tree.ancestors(b[3]).at(Height(2)).map(Header::hash), Some(b[0]));
    }

    #[test]
    fn a_wrong_block_takes_its_descendants_along() {
        let (mut tree, genesis) = tree();
        let a = grow(&mut tree, genesis, 3, 1);
        let b = grow(&mut tree, genesis, 2, 2);
        assert_eq!(tree.remove_branch(a[1]), vec![a[1], a[2]]);
        assert!(tree.contains(&a[0]) && tree.contains(&b[1]) && !tree.contains(&a[2]));
    }

    #[test]
    fn side_blocks_are_bounded() {
        let (mut tree, genesis) = tree();
        for salt in 1..=SIDE_BLOCKS_MAX as u64 + 10 {
            grow(&mut tree, genesis, 1, salt);
        }
        assert_eq!(tree.side.len(), SIDE_BLOCKS_MAX);
        assert_eq!(tree.entries.len(), SIDE_BLOCKS_MAX + 1);
    }

    #[test]
    fn the_window_slides() {
        let (mut tree, genesis) = tree();
        let mut head = genesis;
        for _ in 0..TREE_WINDOW + 5 {
            head = grow(&mut tree, head, 1, 1)[0];
            tree.switch(&tree.route(head).expect("it is next"), Vec::new());
        }
        assert_eq!(tree.entries.len() as u64, TREE_WINDOW);
        assert_eq!(tree.height(), Height(TREE_WINDOW + 5));
        assert!(tree.locator(genesis).len() < 24);
        assert_eq!(tree.locator(genesis).last(), Some(&genesis));
    }
}
