//! Making a net, or starting one again.

use super::{
    Net,
    accounts::Accounts,
    chain::{self, HASH_RATE, Rules},
    endpoints::{Endpoints, is_taken},
    error::NetError,
    folder::{Root, check_name},
    homes::{self, Seat, multiaddr},
    process_id::Condition,
    ready::{READY_MAX, Wants},
    state::{NodeState, STATE_FILE, STATE_VERSION, State},
};
use crate::{NODES_MAX, TestnetError};
use assay_node::{
    config::Config,
    crypto::Keypair,
    native::{
        home::{Home, HomeError},
        keys,
        seams::now,
    },
    types::{ChainId, Consensus},
};
use rustix::process::Signal;
use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

const NODES: usize = 4;
const BLOCK_INTERVAL: Duration = Duration::from_secs(2);
const ACCOUNTS: usize = 4;

/// Bytes of a log before it becomes an old one, and old ones that stay: a net that is forgotten fills no disk.
const LOG_ROTATE_BYTES: u64 = 16 << 20;
const LOG_KEEP: u32 = 4;

/// What is asked for. What is left open is that of the net that is there, or the usual: four nodes, proof of work, a block about
/// every two seconds, four accounts.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// The net's name.
    pub name: String,
    /// Nodes; 1 to [`NODES_MAX`].
    pub nodes: Option<usize>,
    /// How they agree.
    pub consensus: Option<Consensus>,
    /// The first port for peers and the first one for the API, instead of free ones.
    pub ports: Option<(u16, u16)>,
    /// What the chain aims at between two blocks; 100 ms to an hour.
    pub block_interval: Option<Duration>,
    /// Funded accounts; at most [`super::ACCOUNTS_MAX`].
    pub accounts: Option<usize>,
    /// The nodes' program.
    pub program: Option<PathBuf>,
    /// What happens to a net of that name that is there and stopped.
    pub existing: Existing,
}

/// What happens to a net that is there and stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is started again, with its data.
    StartAgain,
    /// It is removed, with its data.
    Remove,
}

/// Where a net comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is new.
    New,
    /// It was there, and goes on with its data.
    Again,
}

/// A net that runs.
#[derive(Debug)]
pub struct Up {
    /// The net.
    pub net: Net,
    /// Where it comes from.
    pub origin: Origin,
    /// From the start of the first process until all nodes were ready.
    pub ready_in: Duration,
}

/// Starts a net and waits until every node is ready and connected, [`READY_MAX`] at most. `tell` hears how many are. When it
/// fails, or `interrupted` ends first, everything that was started is ended again.
///
/// # Errors
/// [`NetError`]; the net stays as a stopped one, with its logs.
pub async fn up(
    root: &Root,
    options: UpOptions,
    interrupted: impl Future<Output = ()>,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Up, NetError> {
    check_name(&options.name)?;
    let program = options.program.as_deref().map(executable).transpose()?;
    let lock = root.lock(&options.name)?;
    let folder = root.folder(&options.name);
    let (origin, state) = match State::read(&folder) {
        Ok(state) => {
            let there = Net::new(root, folder.clone(), state, None);
            existing(there, &options, program)?
        }
        Err(NetError::NoNet { .. }) => (Origin::New, None),
        Err(error) => return Err(error),
    };
    // Held until the nodes have their ports, or have not got them.
    let (state, _held) = match state {
        Some(state) => (state, None),
        None => create(root, &folder, &options)?,
    };
    let mut net = Net::new(root, folder, state, Some(lock));
    root.set_latest(&options.name)?;
    let begun = Instant::now();
    match net.start_all(interrupted, tell).await {
        Ok(()) => Ok(Up { net, origin, ready_in: begun.elapsed() }),
        Err(error) => {
            let ended = net.end_all(Signal::KILL).await;
            // What is left is worth knowing, and so is why it came to that.
            match ended {
                Ok(_endings) => Err(error),
                Err(left) => Err(NetError::Left(format!("{error}\n{left}"))),
            }
        }
    }
}

/// What becomes of a net that is there: its state when it is started again, none when a new one takes its place.
fn existing(net: Net, options: &UpOptions, program: Option<PathBuf>) -> Result<(Origin, Option<State>), NetError> {
    let mut state = net.state.clone();
    if (0..state.nodes.len()).any(|n| net.condition(n) != Condition::Gone) {
        return Err(NetError::Runs { name: net.state.name });
    }
    if options.existing == Existing::Remove {
        return Ok((Origin::New, None));
    }
    let differs = |what, has: String, asked: Option<String>| match asked {
        Some(asked) if asked != has => Err(NetError::Differs { name: net.state.name.clone(), what, has, asked }),
        Some(_) | None => Ok(()),
    };
    differs("nodes:", state.nodes.len().to_string(), options.nodes.map(|nodes| nodes.to_string()))?;
    differs("consensus", state.consensus.to_string(), options.consensus.map(|consensus| consensus.to_string()))?;
    let interval = options.block_interval.map(|interval| format!("{} ms", interval.as_millis()));
    differs("block interval", format!("{} ms", state.block_interval_ms), interval)?;
    let ports = |(p2p, api): (u16, u16)| format!("{p2p},{api}");
    let has = state.nodes.first().map(|node| ports((node.p2p.port(), node.api.port()))).unwrap_or_default();
    differs("ports", has, options.ports.map(ports))?;
    if let Some(asked) = options.accounts {
        differs("accounts:", net.accounts()?.accounts.len().to_string(), Some(asked.to_string()))?;
    }
    for node in &mut state.nodes {
        if let Some(program) = &program {
            node.program.clone_from(program);
        }
        executable(&node.program)?;
        if let Some(address) = [node.api, node.p2p].into_iter().find(|address| is_taken(*address)) {
            let name = &node.name;
            return Err(NetError::Usage(format!(
                "{address}, the address of {name}, is in use; end who has it, or add --fresh for a new net with other ports"
            )));
        }
    }
    if let Some(program) = program {
        state.program = program;
    }
    Ok((Origin::Again, Some(state)))
}

/// Makes homes, accounts and state beside `folder`, and then gives them that name: a net is there whole or not at all.
fn create(root: &Root, folder: &Path, options: &UpOptions) -> Result<(State, Option<TcpListener>), NetError> {
    let count = options.nodes.unwrap_or(NODES);
    if count == 0 || count > NODES_MAX {
        return Err(TestnetError::Nodes { got: count, max: NODES_MAX }.into());
    }
    let program = match &options.program {
        Some(path) => executable(path)?,
        None => crate::program()?,
    };
    let program = program.canonicalize().map_err(NetError::system(format!("cannot find {}", program.display())))?;
    let chain_id: ChainId = options.name.parse().expect("a net's name is a chain's");
    let consensus = options.consensus.unwrap_or_default();
    let block_interval = options.block_interval.unwrap_or(BLOCK_INTERVAL);
    let accounts = Accounts::generate(chain_id.clone(), options.accounts.unwrap_or(ACCOUNTS))?;
    let secrets = (0..count).map(|_| keys::generate()).collect::<Result<Vec<_>, _>>()?;
    let producers: Vec<_> = secrets.iter().map(|secret| Keypair::from_secret(*secret).public()).collect();
    let rules = Rules { chain_id: chain_id.clone(), consensus, block_interval };
    let genesis = chain::genesis(rules, &producers, &accounts)?;
    let (endpoints, held) = match options.ports {
        Some((p2p, api)) => (Endpoints::from_ports(p2p, api, count)?, None),
        None => Endpoints::choose(folder, count).map(|(endpoints, held)| (endpoints, Some(held)))?,
    };
    let nodes: Vec<_> = (0..count)
        .map(|n| NodeState {
            name: format!("n{n}"),
            home: folder.join(format!("n{n}")),
            log: folder.join(format!("n{n}.log")),
            api: endpoints.api[n],
            p2p: endpoints.p2p[n],
            program: program.clone(),
            process: None,
        })
        .collect();
    let new = root.path().join(format!(".{}.new", options.name));
    let failed = || NetError::system(format!("cannot make {}", new.display()));
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed()(error)),
        // What was there was left by a command that was killed.
        Ok(()) | Err(_) => {}
    }
    fs::create_dir_all(&new).map_err(failed())?;
    let seat = |(node, account): (&NodeState, [u8; 32])| {
        let home = Home::new(&new.join(&node.name)).map_err(|error: HomeError| NetError::Testnet(error.into()))?;
        Ok(Seat { home, account, reached_at: multiaddr(node.p2p), config: config(node) })
    };
    let seats = nodes.iter().zip(secrets).map(seat).collect::<Result<_, NetError>>()?;
    homes::make(&genesis, seats)?;
    accounts.write(&new)?;
    let state = State {
        version: STATE_VERSION,
        name: options.name.clone(),
        consensus,
        chain_id,
        block_interval_ms: genesis.params.block_interval_ms,
        created: genesis.timestamp,
        running: false,
        program,
        nodes,
    };
    state.write(&new)?;
    // Not before the new one is whole: options that cannot be meant remove nothing.
    if options.existing == Existing::Remove && folder.join(STATE_FILE).exists() {
        fs::remove_dir_all(folder).map_err(NetError::system(format!("cannot remove {}", folder.display())))?;
    }
    fs::rename(&new, folder).map_err(NetError::system(format!("cannot make {}", folder.display())))?;
    Ok((state, held))
}

fn config(node: &NodeState) -> Config {
    let mut config = Config::default();
    config.api.listen = node.api;
    config.p2p.listen = multiaddr(node.p2p);
    config.miner.hash_rate = HASH_RATE;
    // Standard error goes to the same file, for what is said before the settings are read.
    config.log.file = Path::new("..").join(format!("{}.log", node.name));
    config.log.rotate_bytes = LOG_ROTATE_BYTES;
    config.log.keep = LOG_KEEP;
    config
}

/// A program that is there, by its absolute path.
pub(crate) fn executable(path: &Path) -> Result<PathBuf, NetError> {
    use std::os::unix::fs::PermissionsExt;
    let is_program = path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
    if !is_program {
        return Err(NetError::Usage(format!("{} is no program; give one that can be run", path.display())));
    }
    path.canonicalize().map_err(NetError::system(format!("cannot find {}", path.display())))
}

impl Net {
    async fn start_all(
        &mut self,
        interrupted: impl Future<Output = ()>,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<(), NetError> {
        self.state.running = true;
        self.save()?;
        let count = self.state.nodes.len();
        for n in 0..count {
            self.spawn(n)?;
        }
        let all: Vec<_> = (0..count).collect();
        let mut tell = |ready| tell(ready, count);
        tokio::select! {
            biased;
            () = interrupted => Err(NetError::Interrupted),
            well = self.wait_all_well(&all, Wants::beside(count - 1), READY_MAX, &mut tell) => well.map(drop),
        }
    }

    /// When it was made, as seconds before now.
    pub fn age(&self) -> Duration {
        Duration::from_millis(now().0.saturating_sub(self.state.created.0))
    }
}
