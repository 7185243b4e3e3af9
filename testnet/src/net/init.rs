//! Homes of nodes that run in containers: only the folders, for whatever mounts them.

use super::{
    accounts::Accounts,
    chain::{self, HASH_RATE, Rules},
    error::NetError,
    homes::{self, Seat},
};
use crate::Owner;
use assay_node::{
    config::{Config, LogFormat},
    crypto::Keypair,
    native::{home::Home, keys},
    types::{ChainId, Consensus},
};
use libp2p::{Multiaddr, multiaddr::Protocol};
use serde::Serialize;
use std::{fs, io, net::SocketAddr, path::PathBuf, time::Duration};

/// The profiles: consensus, nodes that produce blocks, and nodes.
pub const INIT_PROFILES: [(Consensus, usize, usize); 3] =
    [(Consensus::Pow, 3, 3), (Consensus::Pos, 2, 3), (Consensus::Poot, 4, 4)];

/// Ports within a container, which has its own.
const API_PORT: u16 = 8000;
const P2P_PORT: u16 = 6000;

/// Characters of a host's name, at most; DNS takes no longer one.
const HOST_MAX: usize = 253;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The profile, by its consensus.
    pub profile: Consensus,
    /// Where the profile's folder is made.
    pub folder: PathBuf,
    /// The name by which the others reach node `n`: `{profile}` and `{n}` are replaced.
    pub host_template: String,
    /// What the chain aims at between two blocks; 100 ms to an hour.
    pub block_interval: Duration,
    /// Funded accounts; at most [`super::ACCOUNTS_MAX`].
    pub accounts: usize,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The chain.
    pub chain_id: ChainId,
    /// Its folder.
    pub folder: PathBuf,
    /// The funded accounts, with their secrets.
    pub accounts: PathBuf,
    /// The nodes.
    pub nodes: Vec<MadeNode>,
    /// Whose the homes are: containers have to run as this user.
    pub owner: Owner,
}

/// A home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MadeNode {
    /// Its name: `n0`.
    pub name: String,
    /// Its directory.
    pub home: PathBuf,
    /// The name by which the others reach it.
    pub host: String,
    /// Whether it produces blocks.
    pub produces: bool,
}

/// Makes the homes `n0`, `n1` and so on of a profile, in a folder of the profile's name, and accounts beside them.
///
/// # Errors
/// [`NetError::Foreign`] when that folder is there, [`NetError::Usage`] for a template that gives no names of hosts.
pub fn init(options: &InitOptions) -> Result<Made, NetError> {
    let found = INIT_PROFILES.into_iter().find(|(consensus, ..)| *consensus == options.profile);
    let (consensus, producers, count) = found.expect("each consensus has a profile");
    let profile = consensus.name();
    let hosts = (0..count).map(|n| host(&options.host_template, profile, n)).collect::<Result<Vec<_>, _>>()?;
    if hosts.iter().enumerate().any(|(n, host)| hosts[..n].contains(host)) {
        let template = &options.host_template;
        return Err(NetError::Usage(format!("{template} gives two nodes the same name; put {{n}} into it")));
    }
    let folder = std::path::absolute(options.folder.join(profile));
    let folder = folder.map_err(NetError::system(format!("cannot find {}", options.folder.display())))?;
    let failed = || NetError::system(format!("cannot make {}", folder.display()));
    fs::create_dir_all(&options.folder).map_err(failed())?;
    match fs::create_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(NetError::Usage(format!(
                "{} is there already, and no key is ever overwritten; choose another --folder or remove it",
                folder.display()
            )));
        }
        made => made.map_err(failed())?,
    }
    let chain_id: ChainId = format!("assay-{profile}").parse().expect("it is a chain's name");
    let accounts = Accounts::generate(chain_id.clone(), options.accounts)?;
    let secrets = (0..count).map(|_| keys::generate()).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<_> = secrets[..producers].iter().map(|secret| Keypair::from_secret(*secret).public()).collect();
    let rules = Rules { chain_id: chain_id.clone(), consensus, block_interval: options.block_interval };
    let genesis = chain::genesis(rules, &keys, &accounts)?;
    let mut seats = Vec::new();
    let mut nodes = Vec::new();
    for (n, (secret, host)) in secrets.into_iter().zip(hosts).enumerate() {
        let (name, produces) = (format!("n{n}"), n < producers);
        let path = folder.join(&name);
        let home = Home::new(&path).map_err(|error| NetError::Testnet(error.into()))?;
        let reached_at = Multiaddr::empty().with(Protocol::Dns4(host.as_str().into())).with(Protocol::Tcp(P2P_PORT));
        seats.push(Seat { home, account: secret, reached_at, config: config(produces) });
        nodes.push(MadeNode { name, home: path, host, produces });
    }
    homes::make(&genesis, seats)?;
    accounts.write(&folder)?;
    let owner = Owner::of_containers();
    for node in &nodes {
        owner.take(&node.home)?;
    }
    Ok(Made { chain_id, accounts: folder.join(super::accounts::ACCOUNTS_FILE), folder, nodes, owner })
}

fn config(produces: bool) -> Config {
    let mut config = Config::default();
    config.api.listen = SocketAddr::from(([0, 0, 0, 0], API_PORT));
    config.p2p.listen = Multiaddr::empty().with(Protocol::Ip4([0, 0, 0, 0].into())).with(Protocol::Tcp(P2P_PORT));
    config.storage.path = "/data/db".into();
    config.backup.path = "/data/backups".into();
    config.log.format = LogFormat::Json;
    config.miner.hash_rate = HASH_RATE;
    config.miner.enabled = produces;
    config
}

fn host(template: &str, profile: &str, n: usize) -> Result<String, NetError> {
    let host = template.replace("{profile}", profile).replace("{n}", &n.to_string());
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if host.is_empty() || host.len() > HOST_MAX || !host.chars().all(allowed) {
        let hint = "give one like {profile}-n{n}, of letters, digits, '-' and '.'";
        return Err(NetError::Usage(format!("{template:?} makes {host:?}, which is no host's name; {hint}")));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn options(profile: Consensus, folder: &std::path::Path) -> InitOptions {
        InitOptions {
            profile,
            folder: folder.to_owned(),
            host_template: "{profile}-n{n}".into(),
            block_interval: Duration::from_secs(2),
            accounts: 2,
        }
    }

    #[test]
    fn homes_of_all_profiles_know_each_other_by_the_names_of_hosts() {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        for (profile, producers, count) in INIT_PROFILES {
            let made = init(&options(profile, dir.path())).expect("the folder is ours");
            assert_eq!(made.nodes.len(), count);
            assert_eq!(made.nodes.iter().filter(|node| node.produces).count(), producers);
            let home = Home::new(&made.nodes[0].home).expect("it is absolute");
            for secret in [home.node_key(), home.proposer_key(), home.admin_key(), made.accounts.clone()] {
                let mode = fs::metadata(&secret).expect("it was made").permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", secret.display());
            }
            let text = fs::read_to_string(home.config()).expect("it was made");
            let config: Config = toml::from_str(&text).expect("the node reads it");
            assert_eq!(config.api.listen.to_string(), "0.0.0.0:8000");
            assert_eq!(config.p2p.listen.to_string(), "/ip4/0.0.0.0/tcp/6000");
            assert_eq!(config.p2p.bootstrap.len(), count - 1);
            let second = config.p2p.bootstrap[0].to_string();
            assert!(second.starts_with(&format!("/dns4/{profile}-n1/tcp/6000/p2p/12D3")), "{second}");
            assert!(init(&options(profile, dir.path())).is_err(), "nothing is overwritten");
        }
    }

    #[test]
    fn names_of_hosts() {
        assert_eq!(host("assay-node-{n}.assay-node-p2p", "pow", 2).expect("it is one"), "assay-node-2.assay-node-p2p");
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        for template in ["", "a b{n}", "a/{n}", "same"] {
            let options = InitOptions { host_template: template.into(), ..options(Consensus::Pow, dir.path()) };
            assert!(matches!(init(&options), Err(NetError::Usage(_))), "{template}");
        }
        assert!(fs::read_dir(dir.path()).expect("it is there").next().is_none(), "nothing was made");
    }
}
