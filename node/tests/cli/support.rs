//! A home in a temporary folder, commands on it, and a running node.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A bound for whatever should happen soon; far above what it takes on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// A folder that is gone when the test ends.
pub struct Folder(TempDir);

/// What a command printed, and its status. Paths are relative to the folder.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the folder is ours");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file is there")
    }

    /// A command in this folder, without the variables of whoever runs the tests.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay-node"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace()).env_clear();
        command
    }

    pub fn say(&self, arguments: &str) -> Said {
        self.said(self.command(arguments).output().expect("the program starts"))
    }

    pub fn say_with(&self, arguments: &str, variable: (&str, &str)) -> Said {
        self.said(self.command(arguments).env(variable.0, variable.1).output().expect("the program starts"))
    }

    fn said(&self, output: Output) -> Said {
        let folder = format!("{}/", self.0.path().canonicalize().expect("it exists").display());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "");
        Said { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Makes a home whose chain has a block in almost no time, so that a test sees some.
    pub fn init(&self, home: &str) {
        assert_eq!(self.say(&format!("init --home {home}")).status, Some(0));
        let genesis = self.read(&format!("{home}/genesis.json"));
        let quick = genesis
            .replace("\"block_interval_ms\": 10000", "\"block_interval_ms\": 100")
            .replace("\"difficulty_start\": 10000", "\"difficulty_start\": 1000");
        assert_eq!(quick.len() + 3, genesis.len(), "the document has the rules that this test knows");
        self.write(&format!("{home}/genesis.json"), &quick);
    }

    /// Runs the node of `home` on free ports until it says that it has started.
    pub fn start(&self, home: &str) -> Running {
        let mut node = self.launch(home, "");
        let started = node.wait_for_event("node.started");
        node.api = started["api"].as_str().expect("it says where").parse().expect("it is an address");
        node
    }

    /// Runs the node of `home` on free ports with these flags too, and waits for nothing; its API is not known.
    pub fn launch(&self, home: &str, flags: &str) -> Running {
        let arguments = format!(
            "run --home {home} --api-listen 127.0.0.1:0 --p2p-listen /ip4/127.0.0.1/tcp/0 --log-format json \
             --set miner.hash_rate=10000 {flags}"
        );
        let mut child = self.command(&arguments).stderr(Stdio::piped()).spawn().expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        Running { child, log: Some(log), api: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }
}

/// A running node; killed when it is dropped.
pub struct Running {
    child: Child,
    /// Its standard error, until that is closed.
    log: Option<BufReader<ChildStderr>>,
    pub api: SocketAddr,
}

impl Running {
    /// Reads its log up to the next event of this name.
    pub fn wait_for_event(&mut self, name: &str) -> serde_json::Value {
        let log = self.log.as_mut().expect("its standard error is open");
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(log.read_line(&mut line).expect("it writes text"), 0, "it ended before {name}");
            let event: serde_json::Value = serde_json::from_str(&line).expect("each line is JSON");
            if event["message"] == name {
                return event;
            }
        }
    }

    /// The status and body of `GET path`.
    pub fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(self.api).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("it is a bound that the system takes");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a head has a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Waits until the chain is this high, and returns its height.
    pub fn wait_for_height(&self, least: u64) -> u64 {
        let start = Instant::now();
        loop {
            let height = self.get("/chain/head").1["height"].as_u64().expect("a head has a height");
            if height >= least {
                return height;
            }
            assert!(start.elapsed() < SOON, "the chain is at {height} after {SOON:?}, not at {least}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Closes its standard error, so that whatever it writes there from now on fails.
    pub fn close_standard_error(&mut self) {
        self.log = None;
    }

    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is ours");
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits for its end, and returns its status, the events that it logged, and how long that took.
    pub fn end(mut self) -> (Option<i32>, Vec<String>, Duration) {
        let start = Instant::now();
        let mut rest = String::new();
        if let Some(mut log) = self.log.take() {
            log.read_to_string(&mut rest).expect("it writes text");
        }
        let status = self.child.wait().expect("it is ours").code();
        let event = |line: &str| {
            let event: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            event["message"].as_str().unwrap_or_default().to_owned()
        };
        (status, rest.lines().map(event).collect(), start.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already in most tests, and then there is nothing to kill.
        let _ended = self.child.kill();
        let _waited_for = self.child.wait();
    }
}

/// A port that somebody listens on.
pub fn taken_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

/// The names of all files below `path`, with their sizes.
pub fn files(path: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).expect("the directory is there") {
        let entry = entry.expect("it can be read");
        let metadata = entry.metadata().expect("it can be read");
        match metadata.is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push((entry.path(), metadata.len())),
        }
    }
    found.sort();
    found
}
