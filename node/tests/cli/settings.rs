//! Settings: layers, their order, and what is wrong with them.

use super::support::Folder;

#[test]
fn a_wrong_file_is_told_with_its_place_and_status_2() {
    let folder = Folder::new();
    folder.init("home");
    folder.write("home/config.toml", "[miner]\nhashrate = 5\n");
    let said = folder.say("run --home home");
    insta::assert_snapshot!(said.err, @"assay-node: home/config.toml:2:1: unknown field `hashrate`, expected `enabled` or `hash_rate`; correct it, or see 'assay-node config show' for all keys");
    assert_eq!((said.status, folder.path("home/db").exists()), (Some(2), false));

    folder.write("home/config.toml", "[p2p]\nlisten = \"/dns/example.org/tcp/6000\"\n");
    let said = folder.say("config check --home home");
    insta::assert_snapshot!(said.err, @"assay-node: p2p.listen is /dns/example.org/tcp/6000, and must be like /ip4/0.0.0.0/tcp/6000 (set by home/config.toml); correct it or leave it out");
    assert_eq!(said.status, Some(2));
}

#[test]
fn a_wrong_variable_or_flag_is_told_with_its_name() {
    let folder = Folder::new();
    folder.init("home");
    let said = folder.say_with("run --home home", ("ASSAY_MINER_HASHRATE", "5"));
    insta::assert_snapshot!(said.err, @"assay-node: ASSAY_MINER_HASHRATE is no setting; did you mean ASSAY_MINER_HASH_RATE?");
    assert_eq!((said.status, folder.path("home/db").exists()), (Some(2), false));
    let said = folder.say("run --home home --set log.level=loud");
    insta::assert_snapshot!(said.err, @r#"assay-node: log.level has "loud"; use error, warn, info, debug or trace, or a filter such as info,assay_node::p2p=debug"#);
    assert_eq!(said.status, Some(2));
    assert_eq!(folder.say("run --home home --colour").status, Some(2));
    let said = folder.say("run --home elsewhere");
    insta::assert_snapshot!(said.err, @"assay-node: cannot read elsewhere/config.toml: No such file or directory (os error 2); make a home with 'assay-node init --home DIR'");
    assert_eq!((said.status, folder.path("elsewhere").exists()), (Some(2), false));
}

#[test]
fn flags_go_before_variables_and_variables_before_the_file() {
    let folder = Folder::new();
    folder.init("home");
    folder.write(
        "home/config.toml",
        "[miner]\nhash_rate = 5\n[storage]\ncache_size_mb = 5\n[mempool]\naccount_max = 5\n",
    );
    let arguments = "config show --home home --set storage.cache_size_mb=7 --no-mine";
    let mut command = folder.command(arguments);
    command.env("ASSAY_MINER_HASH_RATE", "6").env("ASSAY_STORAGE_CACHE_SIZE_MB", "6");
    let shown = String::from_utf8(command.output().expect("the program starts").stdout).expect("it is text");
    let folder_name = format!("{}/", folder.path("").canonicalize().expect("it exists").display());
    insta::assert_snapshot!(shown.replace(&folder_name, ""), @r#"
    [api]
    listen = "127.0.0.1:8000"

    [backup]
    interval_s = 0
    keep_days = 30
    keep_min = 2
    path = "backups"

    [log]
    file = ""
    format = "text"
    keep = 5
    level = "info"
    rotate_bytes = 67108864

    [mempool]
    account_max = 5  # home/config.toml
    bytes_max = 8388608

    [miner]
    enabled = false  # --no-mine
    hash_rate = 6  # ASSAY_MINER_HASH_RATE

    [p2p]
    bootstrap = []
    connections_max = 64
    listen = "/ip4/0.0.0.0/tcp/6000"

    [storage]
    audit_bytes_per_second = 1048576
    audit_pause_s = 3600
    cache_size_mb = 7  # --set storage.cache_size_mb
    compression = "lz4"
    flush_bytes = 4194304
    path = "db"
    reserve_mb = 64
    "#);
    folder.write("home/config.toml", &shown);
    assert_eq!(folder.say("config check --home home").status, Some(0), "what is shown is a file of settings");
}

#[test]
fn json_names_values_and_sources() {
    let folder = Folder::new();
    folder.init("home");
    let shown = folder.say("config show --home home --json --log-level debug").out;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(shown["config"]["log"]["level"], "debug");
    assert_eq!(shown["sources"], serde_json::json!({ "log.level": "--log-level" }));
}
