//! `init` and `keys`.

use super::support::{Folder, files};
use std::os::unix::fs::PermissionsExt;

#[test]
fn init_makes_a_home_once() {
    let folder = Folder::new();
    let first = folder.say("init --home home --chain-id first");
    assert_eq!((first.status, first.err.as_str()), (Some(0), ""));
    assert!(first.out.starts_with("made home for chain first; rewards go to "), "{}", first.out);
    let names: Vec<_> = files(&folder.path("home")).into_iter().map(|(path, _)| path).collect();
    let expected = ["admin.key", "config.toml", "genesis.json", "node.key", "proposer.key"];
    let expected = expected.map(|name| folder.path("home").join(name));
    assert_eq!(names, expected);
    for key in ["home/admin.key", "home/node.key", "home/proposer.key"] {
        let mode = std::fs::metadata(folder.path(key)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }

    let before = folder.read("home/genesis.json");
    let second = folder.say("init --home home --chain-id second");
    insta::assert_snapshot!(second.err, @"assay-node: home/config.toml exists, and nothing is overwritten; choose another home");
    assert_eq!((second.status, folder.read("home/genesis.json")), (Some(1), before));
}

#[test]
fn init_writes_nothing_when_something_is_wrong() {
    let folder = Folder::new();
    folder.write(
        "genesis.json",
        "{ \"chain_id\": \"a\", \"timestamp\": 1, \"params\": { \"confirmations\": 0 }, \"accounts\": {} }",
    );
    let said = folder.say("init --home home --genesis genesis.json");
    insta::assert_snapshot!(said.err, @"assay-node: genesis.json: params.confirmations is 0, and must be from 1 to 1000; correct it, or get the document from whoever runs the chain");
    assert_eq!((said.status, folder.path("home").exists()), (Some(2), false));

    folder.write("genesis.json", "{ \"chain_id\": \"a\", \"color\": 5 }");
    let said = folder.say("init --home home --genesis genesis.json");
    insta::assert_snapshot!(said.err, @"assay-node: genesis.json is no genesis document: unknown field `color`, expected one of `chain_id`, `timestamp`, `params`, `accounts`, `validators`, `operators` at line 1 column 26; get the document from whoever runs the chain");
    assert_eq!((said.status, folder.path("home").exists()), (Some(2), false));

    let all = u64::MAX;
    let said =
        folder.say(&format!("init --home home --fund {}={all} --fund {}={all}", "ab".repeat(20), "cd".repeat(20)));
    insta::assert_snapshot!(said.err, @"assay-node: the balances of genesis add up to more than 18446744073709551615; give less");
    assert_eq!((said.status, folder.path("home").exists()), (Some(2), false));
}

#[test]
fn accounts_are_funded_and_another_home_joins_the_chain() {
    let folder = Folder::new();
    let made = folder.say("keys new --json --out faucet.key");
    let key: serde_json::Value = serde_json::from_str(&made.out).expect("it is JSON");
    let address = key["address"].as_str().expect("it has an address");
    assert_eq!(key.get("secret"), None);
    assert_eq!(folder.say(&format!("init --home a --fund {address}=1000")).status, Some(0));
    assert!(folder.read("a/genesis.json").contains(&format!("\"{address}\": 1000")));
    assert_eq!(folder.say("init --home b --genesis a/genesis.json").status, Some(0));
    assert_eq!(folder.read("b/genesis.json"), folder.read("a/genesis.json"));
    assert_ne!(folder.read("b/node.key"), folder.read("a/node.key"));
}

#[test]
fn secrets_are_shown_on_demand_only() {
    let folder = Folder::new();
    folder.init("home");
    let (node, proposer) = (folder.read("home/node.key"), folder.read("home/proposer.key"));
    let shown = folder.say("keys show --home home").out;
    assert!(!shown.contains(node.trim()) && !shown.contains(proposer.trim()), "{shown}");
    assert!(shown.starts_with("peer                 12D3KooW"), "{shown}");
    let shown = folder.say("keys show --home home --secret").out;
    assert!(shown.contains(node.trim()) && shown.contains(proposer.trim()));
    assert_eq!(folder.say("keys new").status, Some(2), "a key that is neither kept nor shown is a mistake");

    assert_eq!(folder.say("keys new --out account.key").status, Some(0));
    let before = folder.read("account.key");
    let again = folder.say("keys new --out account.key");
    insta::assert_snapshot!(again.err, @"assay-node: cannot write the key account.key: File exists (os error 17); a key is never overwritten, so choose another place");
    assert_eq!((again.status, folder.read("account.key")), (Some(1), before));

    let key = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.path("home/node.key"), key).expect("it is ours");
    let said = folder.say("config check --home home");
    insta::assert_snapshot!(said.err, @"assay-node: the key home/node.key has mode 0644, so others can read it; run 'chmod 600 home/node.key'");
}
