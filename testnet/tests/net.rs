//! A net from `up` to `down`, with what an operator does to it in between.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a live test looks at files and ports")]

mod common;

use assay_node::{
    crypto::Keypair,
    types::{Amount, Consensus, Height},
};
use assay_testnet::{
    net::{
        Condition, Deed, Ending, Existing, Load, Net, NetError, Origin, RestoreKind, Root, RunState, State, UpOptions,
        Wipe, leftovers, up,
    },
    program,
};
use common::{ASK_MAX, block_at};
use flate2::read::GzDecoder;
use rustix::process::Signal;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    future::pending,
    io::Read,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const NAME: &str = "test";
const NODES: usize = 4;
/// The one that things are done to.
const VICTIM: usize = 2;
/// For whatever takes some blocks, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// The root of the test. Its nodes would outlive a test that fails.
struct Guard {
    dir: tempfile::TempDir,
    root: Root,
}

impl Guard {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        let root = Root::new(&dir.path().join("nets")).expect("it is absolute");
        Self { dir, root }
    }

    /// To change; no value of it may be kept, as a command keeps none.
    fn net(&self) -> Net {
        Net::open_to_change(&self.root, NAME).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        for leftover in leftovers(&self.root).into_iter().flatten() {
            let _ended = leftover.process.signal(Signal::KILL);
        }
        for (_, state) in self.root.nets().into_iter().flatten() {
            for node in state.into_iter().flat_map(|state| state.nodes) {
                let _ended = node.process.map(|process| process.signal(Signal::KILL));
            }
        }
    }
}

fn options(name: &str) -> UpOptions {
    UpOptions {
        name: name.into(),
        nodes: Some(NODES),
        consensus: Some(Consensus::Pow),
        ports: None,
        block_interval: Some(Duration::from_millis(400)),
        accounts: Some(4),
        program: Some(program().unwrap_or_else(|error| panic!("{error}"))),
        existing: Existing::StartAgain,
    }
}

async fn start(root: &Root) -> (Origin, Duration) {
    let up = up(root, options(NAME), pending(), &mut |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"));
    (up.origin, up.ready_in)
}

/// Waits until node `n` has confirmed what node `other` has now, and that it is the same block.
async fn is_in_sync(net: &Net, n: usize, other: usize) {
    let wanted = net.client(other).head(ASK_MAX).await.expect("it runs").confirmed_height;
    let begun = Instant::now();
    while net.client(n).head(ASK_MAX).await.expect("it runs").confirmed_height < wanted {
        assert!(begun.elapsed() < SOON, "n{n} is not in sync");
        sleep(assay_testnet::POLL).await;
    }
    let block = block_at(&net.client(n), wanted).await.expect("it has confirmed it");
    assert_eq!(block, block_at(&net.client(other), wanted).await.expect("it has confirmed it"));
}

async fn everybody_is_well(net: &Net) {
    let status = net.status().await;
    assert!(status.healthy, "{status:#?}");
}

#[tokio::test]
async fn a_net_from_up_to_down() {
    let guard = Guard::new();
    let (origin, ready_in) = start(&guard.root).await;
    assert_eq!(origin, Origin::New);
    println!("ready in {ready_in:?}");
    let again = up(&guard.root, options(NAME), pending(), &mut |_, _| {}).await;
    assert!(matches!(again, Err(NetError::Runs { .. })), "{again:?}");
    everybody_is_well(&guard.net()).await;

    pays(&guard.net()).await;
    is_killed_under_load(&guard).await;
    is_backed_up_and_restored(&mut guard.net()).await;
    a_dump_has_no_secret(&guard).await;
    is_upgraded_and_rolled_back(&guard).await;
    is_left_over(&guard).await;

    let net = guard.net();
    let state = net.state().clone();
    let down = net.down(Wipe::Keep).await.unwrap_or_else(|error| panic!("{error}"));
    let stopped = down.nodes.iter().filter(|(_, ending)| *ending == Ending::Stopped).count();
    assert_eq!(stopped, NODES - 1, "n0 was left over, and ended before: {down:?}");
    nothing_is_left(&guard.root, &state);

    // It goes on with its data, and is gone when it is wiped.
    let height = reached(&guard.root).await;
    assert!(height > Height(0), "it has its data again");
    let net = guard.net();
    let state = net.state().clone();
    net.down(Wipe::Remove).await.unwrap_or_else(|error| panic!("{error}"));
    nothing_is_left(&guard.root, &state);
    assert!(matches!(Net::open(&guard.root, "latest"), Err(NetError::NoNet { .. })));
}

/// Starts the net again and gives the height that its first node has kept.
async fn reached(root: &Root) -> Height {
    let (origin, _) = start(root).await;
    assert_eq!(origin, Origin::Again);
    let net = Net::open(root, "latest").unwrap_or_else(|error| panic!("{error}"));
    net.client(0).head(ASK_MAX).await.expect("it runs").height
}

async fn pays(net: &Net) {
    let to = Keypair::from_secret([9; 32]).address();
    let paid = net.pay(to, Amount(1234)).await.unwrap_or_else(|error| panic!("{error}"));
    let paid = net.wait_paid(paid).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(paid.confirmed_at.is_some());
    is_in_sync(net, 3, 0).await;
    assert_eq!(net.client(3).balance(to, ASK_MAX).await.expect("it runs").balance, Amount(1234));
}

async fn is_killed_under_load(guard: &Guard) {
    let net = Net::open(&guard.root, NAME).unwrap_or_else(|error| panic!("{error}"));
    let under_way = CancellationToken::new();
    let mut tell = |progress: &assay_testnet::net::LoadProgress| {
        if progress.counts.acknowledged > 30 {
            under_way.cancel();
        }
    };
    let load = net.load(Load { rate: 30, time: Duration::from_secs(5) }, pending(), &mut tell);
    let kill = async {
        under_way.cancelled().await;
        let mut net = guard.net();
        let done = net.chaos(VICTIM, Deed::Kill).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(done.outcome.starts_with("killed, as kill -9 does"), "{done}");
    };
    let (report, ()) = tokio::join!(load, kill);
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    println!("{report:?}");
    let counts = &report.counts;
    let told = counts.acknowledged + counts.refused + counts.not_sent + counts.unknown + report.late;
    assert_eq!(told, report.due, "each is told once: {report:?}");
    assert!(counts.acknowledged > report.due / 2, "one of four is away: {report:?}");
    assert!(counts.confirmed > counts.acknowledged / 2, "{report:?}");
    assert_eq!(report.answer.expect("some were acknowledged").count, counts.acknowledged);

    let status = net.status().await;
    assert!(!status.healthy, "the load's view is from before the kill, and the process is gone all the same");
    let mut net = guard.net();
    let status = net.status().await;
    assert_eq!(status.nodes[VICTIM].state, RunState::Stopped);
    assert!(matches!(net.chaos(VICTIM, Deed::Pause).await, Err(NetError::NodeStopped { .. })));
    let started = net.chaos(VICTIM, Deed::Start).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(started.outcome.contains("ready in"), "{started}");
    is_in_sync(&net, VICTIM, 0).await;
    net.chaos(VICTIM, Deed::Pause).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(net.status().await.nodes[VICTIM].state, RunState::Paused);
    net.chaos(VICTIM, Deed::Resume).await.unwrap_or_else(|error| panic!("{error}"));
    is_in_sync(&net, VICTIM, 0).await;
}

async fn is_backed_up_and_restored(net: &mut Net) {
    let none = net.restore(VICTIM, None, RestoreKind::DryRun).await;
    assert!(matches!(none, Err(NetError::Usage(_))), "there is no backup yet: {none:?}");
    let made = net.backup(VICTIM).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(made.path.is_file());
    let dry = net.restore(VICTIM, None, RestoreKind::DryRun).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((dry.backup.hash, dry.kept), (made.backup.hash, None));
    assert_eq!(net.condition(VICTIM), Condition::Running, "a dry run changes nothing");
    let restored = net.restore(VICTIM, None, RestoreKind::Replace).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(restored.backup.hash, made.backup.hash);
    assert!(restored.kept.is_some_and(|kept| kept.is_dir()), "the old database is kept");
    is_in_sync(net, VICTIM, 0).await;
    let broken = net.restore(VICTIM, Some("no-such-archive"), RestoreKind::Replace).await;
    assert!(matches!(broken, Err(NetError::Program { .. })), "{broken:?}");
    assert_eq!(net.condition(VICTIM), Condition::Running, "a node that ran runs again");
}

async fn a_dump_has_no_secret(guard: &Guard) {
    let net = guard.net();
    let out = guard.dir.path().join("dump.tar.gz");
    let dumped = net.dump(Some(&out)).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(dumped.missing, Vec::<String>::new());
    for wanted in ["testnet.json", "status.json", "n0/config.toml", "n3/genesis.json", "n2/n2.log", "n1/health.json"] {
        assert!(dumped.entries.iter().any(|entry| entry == wanted), "{wanted}: {:?}", dumped.entries);
    }
    for wanted in ["n0/info.json", "n0/metrics.txt", "n0/db-check.json", "n0/db-stats.json", "n0/process/status"] {
        assert!(dumped.entries.iter().any(|entry| entry == wanted), "{wanted}: {:?}", dumped.entries);
    }
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(&out).expect("it was made")).read_to_end(&mut bytes).expect("it is whole");
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"node.started"), "the logs are in it");
    let secrets = secrets(net.folder());
    assert_eq!(secrets.len(), 3 * NODES + 5);
    for secret in secrets {
        assert!(!holds(secret.as_bytes()), "a secret is in the dump");
        assert!(!holds(&hex::decode(&secret).expect("it is hexadecimal")), "a secret is in the dump");
    }
    let again = net.dump(Some(&out)).await;
    assert!(again.is_err(), "nothing is overwritten");
}

/// Every secret below a folder: whatever has 64 hexadecimal digits in files of mode 0600.
fn secrets(folder: &Path) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    let homes = (0..NODES).map(|n| folder.join(format!("n{n}")));
    for path in homes.flat_map(files).chain(files(folder.to_owned())) {
        let metadata = fs::metadata(&path).expect("it is there");
        if metadata.permissions().mode() & 0o777 != 0o600 {
            continue;
        }
        let text = fs::read_to_string(&path).expect("it is text");
        if path.extension().is_some_and(|end| end == "key") {
            secrets.insert(text.trim().to_owned());
        } else {
            let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
            let accounts = json["accounts"].as_array().expect("there are some");
            let all = accounts.iter().chain([&json["faucet"]]);
            secrets.extend(all.map(|account| account["secret"].as_str().expect("it has one").to_owned()));
        }
    }
    secrets
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("it is there");
    entries.map(|entry| entry.expect("it can be read").path()).filter(|path| path.is_file()).collect()
}

async fn is_upgraded_and_rolled_back(guard: &Guard) {
    let mut net = guard.net();
    let old = net.state().program.clone();
    let new = guard.dir.path().join("assay-node-new");
    fs::copy(&old, &new).expect("there is room");
    let mut told = 0;
    let upgraded =
        net.upgrade(&new, SOON, pending(), &mut |_| told += 1).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((upgraded.len(), told), (NODES, NODES));
    everybody_is_well(&net).await;

    let broken = guard.dir.path().join("assay-node-broken");
    fs::write(&broken, "#!/bin/sh\necho this release is broken >&2\nexit 1\n").expect("there is room");
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let error = net.upgrade(&broken, SOON, pending(), &mut |_| {}).await.expect_err("it does not run");
    let text = error.to_string();
    assert!(text.contains("n0 ended by itself") && text.contains("this release is broken"), "{text}");
    assert!(text.contains("n0 runs its old program again"), "{text}");
    everybody_is_well(&net).await;
    drop(net);
    let new = new.canonicalize().expect("it is there");
    assert!(guard.net().state().nodes.iter().all(|node| node.program == new), "each has the program from before");
    let none = guard.net().upgrade(&guard.dir.path().join("none"), SOON, pending(), &mut |_| {}).await;
    assert!(matches!(none, Err(NetError::Usage(_))), "{none:?}");
}

/// A state that has forgotten a process, as one that was lost.
async fn is_left_over(guard: &Guard) {
    assert_eq!(leftovers(&guard.root).expect("it can be read"), []);
    let file = guard.net().folder().join("testnet.json");
    let mut state: State = serde_json::from_slice(&fs::read(&file).expect("it is there")).expect("it is a state");
    let forgotten = state.nodes[0].process.take().expect("it runs");
    fs::write(&file, serde_json::to_vec(&state).expect("it has a JSON form")).expect("it is ours");
    let found = leftovers(&guard.root).expect("it can be read");
    assert_eq!(found.iter().map(|one| one.process.clone()).collect::<Vec<_>>(), [forgotten]);
    assert_eq!(found[0].end().await.unwrap_or_else(|error| panic!("{error}")), Ending::Stopped);
    assert_eq!(leftovers(&guard.root).expect("it can be read"), []);
}

fn nothing_is_left(root: &Root, state: &State) {
    assert_eq!(leftovers(root).expect("it can be read"), []);
    for node in &state.nodes {
        let gone = node.process.as_ref().is_none_or(|process| process.condition() == Condition::Gone);
        assert!(gone, "{} still runs", node.name);
        for address in [node.api, node.p2p] {
            TcpListener::bind(address).unwrap_or_else(|error| panic!("{}: {address}: {error}", node.name));
        }
    }
}

#[tokio::test]
async fn what_was_started_is_ended_when_up_fails_or_is_interrupted() {
    let guard = Guard::new();
    let interrupted = CancellationToken::new();
    let mut tell = |_, _| interrupted.cancel();
    let cut = up(&guard.root, options("cut"), interrupted.cancelled(), &mut tell).await;
    assert!(matches!(cut, Err(NetError::Interrupted)), "{cut:?}");
    let state = Net::open(&guard.root, "cut").expect("it stays").state().clone();
    nothing_is_left(&guard.root, &state);
    assert!(!state.running);

    let broken = guard.dir.path().join("assay-node-broken");
    fs::write(&broken, "#!/bin/sh\necho this release is broken >&2\nexit 1\n").expect("there is room");
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let options = UpOptions { program: Some(broken), ..options("broken") };
    let error = up(&guard.root, options, pending(), &mut |_, _| {}).await.expect_err("it does not run").to_string();
    assert!(error.contains("ended by itself") && error.contains("this release is broken"), "{error}");
    let state = Net::open(&guard.root, "broken").expect("it stays").state().clone();
    nothing_is_left(&guard.root, &state);
}
