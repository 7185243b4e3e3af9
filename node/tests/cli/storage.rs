//! Data directories that are not this node's: refused, and left as they are.

use super::support::{Folder, files};

const QUIET: &str = "--api-listen 127.0.0.1:0 --p2p-listen /ip4/127.0.0.1/tcp/0 --no-mine --log-level off";

/// Starts the node once, so that the home has a database.
fn with_database(folder: &Folder, home: &str) {
    folder.init(home);
    let node = folder.start(home);
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}

#[test]
fn a_database_of_another_chain_is_refused() {
    let folder = Folder::new();
    with_database(&folder, "a");
    assert_eq!(folder.say("init --home b --chain-id other").status, Some(0));
    let genesis = folder.read("a/genesis.json");
    folder.write("a/genesis.json", &folder.read("b/genesis.json"));
    let said = folder.say(&format!("run --home a {QUIET}"));
    insta::assert_snapshot!(said.err, @"assay-node: the data directory is of chain assay-dev, and the configuration is for other; use the home of the configured chain, or put that chain's genesis.json back");
    assert_eq!(said.status, Some(1));

    folder.write("a/genesis.json", &genesis.replace("\"confirmations\": 6", "\"confirmations\": 7"));
    let said = folder.say(&format!("run --home a {QUIET}"));
    insta::assert_snapshot!(said.err, @"assay-node: the data directory is of another assay-dev: its genesis document differs from the configured one; use the home of the configured chain, or put that chain's genesis.json back");
    assert_eq!(said.status, Some(1));

    folder.write("a/genesis.json", &genesis);
    let node = folder.start("a");
    assert_eq!(node.get("/block/0").0, 200, "nothing was lost by the refusals");
}

#[test]
fn a_database_of_a_newer_release_is_refused() {
    let folder = Folder::new();
    with_database(&folder, "home");
    let path = folder.path("home/db");
    let families = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).expect("it is a database");
    let database = rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, families).expect("nobody has it open");
    let meta = database.cf_handle("meta").expect("the node made it");
    database.put_cf(meta, b"schema", 7_u32.to_le_bytes()).expect("the disk works");
    drop(database);
    let said = folder.say(&format!("run --home home {QUIET}"));
    insta::assert_snapshot!(said.err, @"assay-node: the data directory has schema 7, and this release knows up to 2; use a newer release");
    assert_eq!(said.status, Some(1));
}

#[test]
fn a_directory_of_something_else_is_refused_and_untouched() {
    let folder = Folder::new();
    folder.init("home");
    std::fs::create_dir(folder.path("home/db")).expect("the folder is ours");
    folder.write("home/db/letters.txt", "dear");
    let said = folder.say(&format!("run --home home {QUIET}"));
    insta::assert_snapshot!(said.err, @r#"assay-node: storage.path = home/db holds "letters.txt", which is no database's file; choose another or an empty directory"#);
    assert_eq!((said.status, files(&folder.path("home/db")).len()), (Some(1), 1));

    let path = folder.path("other");
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    let database = rocksdb::DB::open(&options, &path).expect("the disk works");
    database.put(b"a", b"b").expect("the disk works");
    drop(database);
    let before = files(&path);
    let said = folder.say(&format!("run --home home --set storage.path=../other {QUIET}"));
    insta::assert_snapshot!(said.err, @"assay-node: the data directory home/../other holds something else: a database without a chain; choose another or an empty one");
    assert_eq!((said.status, files(&path)), (Some(1), before));
}

#[test]
fn two_processes_do_not_share_a_home() {
    let folder = Folder::new();
    folder.init("home");
    let _node = folder.start("home");
    let said = folder.say(&format!("run --home home {QUIET}"));
    insta::assert_snapshot!(said.err, @"assay-node: the data directory home/db is in use by another process; stop that process first");
    assert_eq!(said.status, Some(1));
}
