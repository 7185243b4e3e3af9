//! The commands.

use super::{
    args::{ConfigArgs, Health, Init, KeysNew, KeysShow, Run},
    failure::CommandError,
};
use crate::{
    config::Miner,
    crypto::{Keypair, PublicKey},
    native::{
        config_file,
        health::{self, Question},
        home::{self, Home},
        keys, lifecycle,
        seams::now,
        settings::{self, Effective},
    },
    types::{ChainParams, Consensus, Difficulty, Genesis},
};
use serde_json::json;
use std::{
    io::{self, Write},
    time::Duration,
};

pub fn init(args: &Init) -> Result<(), CommandError> {
    let home = Home::new(&args.home.home)?;
    home.is_free()?;
    let secret = keys::generate()?;
    let key = Keypair::from_secret(secret);
    let genesis = match &args.genesis {
        Some(path) => home::read_genesis(path)?,
        None => new_chain(args, key.public()),
    };
    let proposer = key.address();
    genesis.validate()?;
    home.create(&genesis, secret)?;
    let place = home.path().display();
    print(&format!(
        "made {place} for chain {}; rewards go to {proposer}\nnext: assay-node run --home {place}\n",
        genesis.chain_id
    ))
}

/// A chain whose first blocks come at the right interval from one node of the default hash rate, or whose one validator or
/// operator is the holder of `own`, if no others are named.
fn new_chain(args: &Init, own: PublicKey) -> Genesis {
    let params = ChainParams { consensus: args.consensus, ..ChainParams::default() };
    let hashes = Miner::default().hash_rate * params.block_interval_ms / 1000;
    let validators = match args.consensus {
        Consensus::Pos if args.validator.is_empty() => [(own, params.pos.stake_min)].into(),
        Consensus::Pos | Consensus::Pow | Consensus::Poot => args.validator.iter().copied().collect(),
    };
    let operators = match args.consensus {
        Consensus::Poot if args.operator.is_empty() => [own].into(),
        Consensus::Poot | Consensus::Pow | Consensus::Pos => args.operator.iter().copied().collect(),
    };
    Genesis {
        chain_id: args.chain_id.clone(),
        timestamp: now(),
        params: ChainParams { difficulty_start: Difficulty(hashes), ..params },
        accounts: args.fund.iter().copied().collect(),
        validators,
        operators,
    }
}

pub fn run(args: &Run) -> Result<(), CommandError> {
    let home = Home::new(&args.home.home)?;
    let effective = config_file::load(Some(&home.config()), args.settings.overrides())?;
    let mut setup = home.setup(effective.config)?;
    if setup.admin_key.is_none() {
        setup.admin_key = Some(home.make_admin_key()?);
    }
    Ok(lifecycle::run(setup)?)
}

pub fn health(args: &Health) -> Result<(), CommandError> {
    let authority = match (&args.target.url, &args.target.home) {
        (Some(url), _) => health::authority_of_url(url)?,
        (None, Some(home)) => {
            let effective = config_file::load(Some(&Home::new(home)?.config()), Vec::new())?;
            health::authority_of_listener(effective.config.api.listen)?
        }
        (None, None) => unreachable!("the command line demands one of both"),
    };
    let question = match (args.live, args.ready) {
        (true, _) => Question::Live,
        (false, true) => Question::Ready,
        (false, false) => Question::All,
    };
    let answer = health::ask(&authority, question, Duration::from_secs(args.timeout))?;
    print(&(answer + "\n"))
}

pub fn keys_show(args: &KeysShow) -> Result<(), CommandError> {
    let home = Home::new(&args.home.home)?;
    let (node, proposer) = (keys::read(&home.node_key())?, keys::read(&home.proposer_key())?);
    let peer = keys::identity(node).public().to_peer_id();
    let account = Keypair::from_secret(proposer);
    let mut shown = vec![
        ("peer", peer.to_string()),
        ("proposer_address", account.address().to_string()),
        ("proposer_public_key", account.public().to_string()),
    ];
    if args.secret {
        shown.push(("node_secret", hex::encode(node)));
        shown.push(("proposer_secret", hex::encode(proposer)));
    }
    print_pairs(&shown, args.json)
}

pub fn keys_new(args: &KeysNew) -> Result<(), CommandError> {
    let secret = keys::generate()?;
    if let Some(path) = &args.out {
        keys::write_new(path, &secret)?;
    }
    let account = Keypair::from_secret(secret);
    let mut shown = vec![("address", account.address().to_string()), ("public_key", account.public().to_string())];
    if args.secret {
        shown.push(("secret", hex::encode(secret)));
    }
    print_pairs(&shown, args.json)
}

pub fn config_check(args: &ConfigArgs) -> Result<(), CommandError> {
    let home = Home::new(&args.home.home)?;
    let effective = config_file::load(Some(&home.config()), args.settings.overrides())?;
    let setup = home.setup(effective.config)?;
    let shown = [
        ("home", home.path().display().to_string()),
        ("chain", setup.genesis.chain_id.to_string()),
        ("peer", setup.identity.public().to_peer_id().to_string()),
        ("settings_changed", effective.sources.len().to_string()),
        ("verdict", "right".to_owned()),
    ];
    print_pairs(&shown, args.json)
}

pub fn config_show(args: &ConfigArgs) -> Result<(), CommandError> {
    let home = Home::new(&args.home.home)?;
    let Effective { config, sources } = config_file::load(Some(&home.config()), args.settings.overrides())?;
    if args.json {
        let sources: serde_json::Map<_, _> =
            sources.iter().map(|(key, source)| (key.clone(), source.to_string().into())).collect();
        return print(&format!("{:#}\n", json!({ "config": config, "sources": sources })));
    }
    let mut text = String::new();
    let mut section = String::new();
    for (key, value) in settings::values(&config) {
        let (of, name) = key.split_once('.').unwrap_or(("", &key));
        if of != section {
            text += &format!("{}[{of}]\n", if section.is_empty() { "" } else { "\n" });
            section = of.to_owned();
        }
        let source = sources.get(&key).map(|source| format!("  # {source}")).unwrap_or_default();
        text += &format!("{name} = {value}{source}\n");
    }
    print(&text)
}

pub(super) fn print_pairs(pairs: &[(&str, String)], as_json: bool) -> Result<(), CommandError> {
    if as_json {
        let object: serde_json::Map<_, _> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        return print(&format!("{:#}\n", serde_json::Value::from(object)));
    }
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    print(&pairs.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect::<String>())
}

/// To standard output; a reader that has gone, such as `head`, is a failure instead of a panic.
pub(super) fn print(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
