//! What an inspection finds: nothing in a sound chain, and each thing that is planted.

use super::support::{Place, copy, genesis, grow, records};
use crate::{
    crypto::Hash,
    storage::{FINDINGS_MAX, Findings, Settings, Store, keys, record},
    types::{Amount, Block, Height, Work},
};

const HEIGHT: u64 = 5;

fn findings(place: &Place) -> Findings {
    // Not loaded: a start would refuse some of these.
    let store = Store::look(&place.disk, &place.db(), genesis(), Settings::default()).expect("it can be opened");
    store.inspect(&mut |_| {}).expect("it can be opened again").findings
}

/// Family, key, and what is stored for it from then on; nothing for none.
type Edit = (&'static str, Vec<u8>, Option<Vec<u8>>);

/// What is found when these records are sealed and put in their places; none removes one.
fn planted(template: &Place, edits: Vec<Edit>) -> Vec<String> {
    let place = Place::new();
    copy(&template.db(), &place.db());
    let seal = |(family, key, value): (&'static str, Vec<u8>, Option<Vec<u8>>)| {
        let sealed = value.map(|value| record::seal(family, &key, value));
        (family, key, sealed)
    };
    place.edit(edits.into_iter().map(seal).collect::<Vec<_>>());
    findings(&place).listed.iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_chain_passes_and_all_of_it_is_read() {
    let place = Place::with_chain(HEIGHT);
    let store = place.open().expect("it is whole");
    let mut parts = Vec::new();
    let inspection = store.inspect(&mut |progress| parts.push(progress.part)).expect("it can be read");
    assert_eq!(inspection.findings, Findings::default());
    assert_eq!(inspection.records.records, records(&place.db()).len() as u64);
    // The rich one, the proposer, and five that were paid.
    assert_eq!((inspection.blocks, inspection.transactions, inspection.accounts), (HEIGHT + 1, HEIGHT, 7));
    parts.dedup();
    assert_eq!(parts, ["records", "blocks", "indexes", "state"]);
}

#[test]
fn each_kind_of_damage_is_told() {
    let place = Place::with_chain(HEIGHT);
    let store = place.open().expect("it is whole");
    let block_at = |height: u64| store.block_at(Height(height)).expect("it can be read").expect("it is there");
    let (head, two, three) = (block_at(HEIGHT), block_at(2), block_at(3));
    let work = |height: u64| Work(u128::from(height) * 4);
    let stored = |work: Work, block: &Block| Some(crate::encode(&(work, block)));
    let of_block = |block: &Block| block.hash().0.to_vec();
    drop(store);
    let found = |edits| planted(&place, edits).join("\n").replace(&head.hash().to_string(), "HEAD");
    let show = |text: String, names: &[(&str, Hash)]| {
        names.iter().fold(text, |text, (name, hash)| {
            text.replace(&hash.to_string(), name).replace(&hash.short().to_string(), name)
        })
    };
    let names = [("TWO", two.hash()), ("THREE", three.hash()), ("TX", two.transactions[0].id())];

    let mut told = Vec::new();
    let at = |height: u64| keys::height(Height(height)).to_vec();
    let missing = found(vec![(keys::CANONICAL, at(2), None)]);
    told.push(show(missing, &names));
    let missing = found(vec![(keys::BLOCKS, of_block(&two), None)]);
    told.push(show(missing, &names));
    let other_work = found(vec![(keys::BLOCKS, of_block(&two), stored(Work(9), &two))]);
    told.push(show(other_work, &names));
    let swapped =
        found(vec![(keys::CANONICAL, at(2), Some(of_block(&three))), (keys::CANONICAL, at(3), Some(of_block(&two)))]);
    told.push(show(swapped, &names));
    let emptied = Block { transactions: Vec::new(), ..two.clone() };
    let emptied = found(vec![(keys::BLOCKS, of_block(&two), stored(work(2), &emptied))]);
    told.push(show(emptied, &names));
    let id = two.transactions[0].id().0.to_vec();
    let lost = found(vec![(keys::TRANSACTIONS, id.clone(), None)]);
    told.push(show(lost, &names));
    let elsewhere = found(vec![(keys::TRANSACTIONS, id, Some(crate::encode(&(Height(3), 0_u32))))]);
    told.push(show(elsewhere, &names));
    let stray = found(vec![(keys::TRANSACTIONS, vec![9; 32], Some(crate::encode(&(Height(3), 0_u32))))]);
    told.push(show(stray, &names));
    let above = found(vec![(keys::CANONICAL, at(HEIGHT + 1), Some(vec![9; 32]))]);
    told.push(show(above, &names));
    let mut beside = two.clone();
    beside.header.timestamp.0 += 1;
    let beside = found(vec![(keys::BLOCKS, of_block(&beside), stored(work(2), &beside))]);
    told.push(show(beside, &names).split_once(": ").expect("a key comes first").1.to_owned());
    let no_undo = found(vec![(keys::UNDO, at(2), None)]);
    told.push(show(no_undo, &names));
    let unnamed = found(vec![(keys::VALUES, keys::value(&jmt::KeyHash([9; 32]), 2).to_vec(), Some(vec![1]))]);
    told.push(show(unnamed, &names));
    let root = jmt::storage::NodeKey::new(2, std::iter::empty().collect());
    let no_root = found(vec![(keys::NODES, keys::node(&root), None)]);
    told.push(show(no_root, &names));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_value_that_its_leaf_does_not_commit_to_is_told() {
    let place = Place::with_chain(HEIGHT);
    let supply = keys::value(&crate::ledger::supply_key(), HEIGHT).to_vec();
    let forged = crate::encode(&Some(crate::encode(&(Height(HEIGHT), Amount(1)))));
    let found = planted(&place, vec![(keys::VALUES, supply, Some(forged))]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("@5: it does not hash to what its leaf commits to"), "{found:?}");
}

#[test]
fn a_sum_that_is_not_the_supply_is_told() {
    // A chain whose genesis gave more than its supply record says, and whose tree commits to both.
    let place = Place::new();
    let store = place.open().expect("a new store");
    grow(&store, 1);
    let head = store.head().expect("it can be read");
    let mut forged = crate::ledger::supply(&store, head.height).expect("it can be read");
    forged.total.0 += 1;
    forged.height = head.height.next();
    let leaf = [(crate::ledger::supply_key(), Some(crate::encode(&forged)))];
    let overlay = crate::ledger::Overlay::new(&store, head.height);
    let (root, tree) = jmt::Sha256Jmt::new(&overlay).put_value_set(leaf, head.height.0 + 1).expect("it can be read");
    let mut block = store.block(&head.hash).expect("it can be read").expect("it is there");
    block.header.height = head.height.next();
    block.header.parent = head.hash;
    block.header.state_root = Hash(root.0);
    block.transactions.clear();
    block.header.transactions_root = block.transactions_root();
    let (hash, work) = (block.hash(), head.work.plus(crate::types::Difficulty(4)));
    let block = std::sync::Arc::new(block);
    let update = crate::ledger::StateUpdate { batch: tree.node_batch };
    let commit = crate::chain::CommitBlock { hash, block: block.clone(), work, update };
    let route = crate::chain::Route { fork: head.height, blocks: vec![(hash, block, work)] };
    store.commit(&crate::chain::Commit { route, blocks: vec![commit] }).expect("the disk works");
    drop(store);
    let found = findings(&place);
    let text: Vec<_> = found.listed.iter().map(|finding| finding.what.clone()).collect();
    assert_eq!(text, ["the supply is 51000001, and the balances add up to 51000000"]);
}

#[test]
fn findings_are_bounded_and_counted() {
    let place = Place::with_chain(80);
    let edits =
        records(&place.db()).into_iter().filter(|((family, _), _)| family == keys::CANONICAL || family == keys::UNDO);
    let edits: Vec<_> = edits
        .map(|((family, key), _)| {
            let family = if family == keys::CANONICAL { keys::CANONICAL } else { keys::UNDO };
            (family, key, Some(b"nonsense".to_vec()))
        })
        .collect();
    place.edit(edits);
    let found = findings(&place);
    assert_eq!((found.listed.len(), found.count() > 2 * 81 - 1), (FINDINGS_MAX, true), "{}", found.count());
}
