use super::*;

fn flag(key: &str, value: &str) -> Override {
    Override { key: key.into(), value: value.into(), source: Source::Flag(format!("--set {key}")) }
}

fn variable(name: &str, value: &str) -> Vec<Override> {
    from_variables([(name.into(), value.into())]).expect("the variable is a setting")
}

fn error(text: &str, overrides: &[Override]) -> String {
    merge("config.toml", text, overrides).expect_err("it cannot be meant").to_string()
}

#[test]
fn later_layers_win_and_are_named() {
    let file = "[miner]\nhash_rate = 5\n[mempool]\nbytes_max = 100000\n[log]\nlevel = 'info'\n";
    let mut layers = variable("ASSAY_MINER_HASH_RATE", "6");
    layers.push(flag("storage.cache_size_mb", "7"));
    layers.push(flag("storage.cache_size_mb", "8"));
    let Effective { config, sources } = merge("config.toml", file, &layers).expect("all layers can be meant");
    assert_eq!((config.miner.hash_rate, config.storage.cache_size_mb, config.mempool.bytes_max), (6, 8, 100_000));
    let sources: Vec<_> = sources.iter().map(|(key, source)| format!("{key} < {source}")).collect();
    insta::assert_snapshot!(sources.join("\n"), @r"
    mempool.bytes_max < config.toml
    miner.hash_rate < ASSAY_MINER_HASH_RATE
    storage.cache_size_mb < --set storage.cache_size_mb
    ");
}

#[test]
fn a_list_is_written_with_commas() {
    let peer = "/ip4/192.0.2.1/tcp/6000/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let layers = variable("ASSAY_P2P_BOOTSTRAP", &format!("{peer},{peer}"));
    assert_eq!(merge("config.toml", "", &layers).expect("both are addresses").config.p2p.bootstrap.len(), 2);
    let layers = variable("ASSAY_P2P_BOOTSTRAP", "");
    assert_eq!(merge("config.toml", "", &layers).expect("the list is empty").config.p2p.bootstrap.len(), 0);
}

#[test]
fn what_the_file_cannot_mean_is_told_with_its_place() {
    insta::assert_snapshot!(error("[miner]\n\n  hashrate = 5\n", &[]), @"config.toml:3:3: unknown field `hashrate`, expected `enabled` or `hash_rate`; correct it, or see 'assay-node config show' for all keys");
    insta::assert_snapshot!(error("[miner]\nhash_rate = 'x'\n", &[]), @r#"config.toml:2:13: invalid type: string "x", expected u64; correct it, or see 'assay-node config show' for all keys"#);
    insta::assert_snapshot!(error("[miner]\nhash_rate = 0\n", &[]), @"miner.hash_rate is 0, and must be from 1 to 1000000000 (set by config.toml); correct it or leave it out");
}

#[test]
fn what_a_variable_cannot_mean_is_told_with_its_name() {
    let unknown = from_variables([("ASSAY_MINER_HASHRATE".into(), "5".into())]).expect_err("there is no such setting");
    insta::assert_snapshot!(unknown, @"ASSAY_MINER_HASHRATE is no setting; did you mean ASSAY_MINER_HASH_RATE?");
    insta::assert_snapshot!(error("", &variable("ASSAY_MINER_ENABLED", "yes")), @r#"ASSAY_MINER_ENABLED is "yes": expected true or false; correct it or leave it out"#);
    insta::assert_snapshot!(error("", &variable("ASSAY_API_LISTEN", "here")), @r#"ASSAY_API_LISTEN is "here": invalid socket address syntax; correct it or leave it out"#);
    insta::assert_snapshot!(error("", &[flag("miner.hashrate", "5")]), @"miner.hashrate is no setting; did you mean miner.hash_rate?");
    insta::assert_snapshot!(error("", &[flag("colour", "red")]), @"colour is no setting; 'assay-node config show' prints all, and the variable of p2p.listen is ASSAY_P2P_LISTEN");
    assert_eq!(from_variables([("ASSAY_HOME".into(), "x".into()), ("PATH".into(), "y".into())]), Ok(Vec::new()));
}

#[test]
fn variables_of_all_settings_differ() {
    let variables: std::collections::BTreeSet<_> = defaults().keys().map(|key| variable_of(key)).collect();
    assert_eq!(variables.len(), defaults().len());
}

#[test]
fn distance_counts_edits() {
    assert_eq!((edits("", "abc"), edits("kitten", "sitting"), edits("same", "same")), (3, 3, 0));
}
