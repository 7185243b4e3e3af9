//! A cluster of processes.

use crate::{
    TestnetError,
    plan::{Place, Plan},
    process::{Ended, Process},
};
use assay_node::{
    api::{Client, client::ClientError, model::HealthStatus},
    config::Config,
};
use rustix::process::Signal;
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

/// Time between two questions while something is waited for.
pub const POLL: Duration = Duration::from_millis(50);

/// How long one question may take.
const ASK_MAX: Duration = Duration::from_secs(5);

/// Nodes by number, from 0; each runs or does not. All are killed when this is dropped.
#[derive(Debug)]
pub struct Processes {
    program: PathBuf,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    place: Place,
    client: Client,
    /// What its program is started through; empty for nothing.
    through: Vec<String>,
    process: Option<Process>,
}

impl Processes {
    /// Makes the homes of `plan`. Nothing runs yet.
    ///
    /// # Errors
    /// [`TestnetError`] when the program is missing, a home exists already, or the system refuses.
    pub fn create(plan: &Plan) -> Result<Self, TestnetError> {
        if !plan.program.is_file() {
            return Err(TestnetError::NoProgram { path: plan.program.clone() });
        }
        let node = |place: Place| {
            let api = place.api;
            Node {
                client: Client::new(api.to_string(), move || TcpStream::connect(api)),
                place,
                through: Vec::new(),
                process: None,
            }
        };
        let nodes = plan.lay_out()?.into_iter().map(node).collect();
        Ok(Self { program: plan.program.clone(), nodes })
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The API of node `n`.
    ///
    /// # Panics
    /// When there is no node `n`; so for all methods that take one.
    pub fn client(&self, n: usize) -> &Client {
        &self.nodes[n].client
    }

    /// Where node `n` serves its API.
    pub fn api(&self, n: usize) -> SocketAddr {
        self.nodes[n].place.api
    }

    /// Where node `n` writes its log.
    pub fn log(&self, n: usize) -> &Path {
        &self.nodes[n].place.log
    }

    /// Starts node `n`; one that runs is left alone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(&mut self, n: usize) -> Result<(), TestnetError> {
        let Node { place, process, through, .. } = &mut self.nodes[n];
        if process.is_none() {
            *process = Some(Process::start(&self.program, through, place)?);
        }
        Ok(())
    }

    /// Starts node `n` from now on through another program, whose last argument is the node's: `unshare`, `nice`. That
    /// program must become the node, as `exec` does.
    pub fn start_through(&mut self, n: usize, program: &[&str]) {
        self.nodes[n].through = program.iter().map(|part| (*part).to_owned()).collect();
    }

    /// Changes the settings of node `n`, for its next start.
    ///
    /// # Errors
    /// When its file of settings cannot be read or written.
    pub fn configure(&mut self, n: usize, change: impl FnOnce(&mut Config)) -> Result<(), TestnetError> {
        let path = self.nodes[n].place.home.config();
        let failed = || TestnetError::system(format!("cannot change {}", path.display()));
        let text = fs::read_to_string(&path).map_err(failed())?;
        let parsed: Result<Config, _> = toml::from_str(&text);
        let mut config = parsed.map_err(|error| failed()(io::Error::other(error)))?;
        change(&mut config);
        fs::write(&path, toml::to_string(&config).expect("settings have a TOML form")).map_err(failed())
    }

    /// The home of node `n`.
    pub fn home(&self, n: usize) -> &Path {
        self.nodes[n].place.home.path()
    }

    /// The process of node `n`, when it runs.
    pub fn process(&mut self, n: usize) -> Option<&mut Process> {
        self.nodes[n].process.as_mut()
    }

    /// Starts all nodes that do not run.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start_all(&mut self) -> Result<(), TestnetError> {
        (0..self.count()).try_for_each(|n| self.start(n))
    }

    /// Ends node `n` as `kill -9` does.
    ///
    /// # Errors
    /// [`TestnetError::NotRunning`], or when the system refuses.
    pub fn kill(&mut self, n: usize) -> Result<(), TestnetError> {
        self.take(n)?.kill()
    }

    /// Stops node `n` in order and returns how it ended.
    ///
    /// # Errors
    /// [`TestnetError::NotRunning`], [`TestnetError::TooLate`], or when the system refuses.
    pub async fn stop(&mut self, n: usize) -> Result<ExitStatus, TestnetError> {
        self.take(n)?.stop().await
    }

    /// Sends node `n` a signal.
    pub(crate) fn signal(&mut self, n: usize, signal: Signal) -> Result<(), TestnetError> {
        let Node { place, process, .. } = &self.nodes[n];
        let process = process.as_ref().ok_or_else(|| TestnetError::NotRunning { node: place.name.clone() })?;
        process.signal(signal)
    }

    /// How the process of node `n` has ended; once, and then it can be started again. None while it runs or when none was
    /// started.
    pub(crate) fn take_ended(&mut self, n: usize) -> Result<Option<Ended>, TestnetError> {
        let Node { place, process, .. } = &mut self.nodes[n];
        let Some(running) = process else { return Ok(None) };
        let ended = running.ended(&place.log)?;
        if ended.is_some() {
            *process = None;
        }
        Ok(ended)
    }

    fn take(&mut self, n: usize) -> Result<Process, TestnetError> {
        let Node { place, process, .. } = &mut self.nodes[n];
        process.take().ok_or_else(|| TestnetError::NotRunning { node: place.name.clone() })
    }

    /// Waits until node `n` answers that it is ready.
    ///
    /// # Errors
    /// [`TestnetError::TooLate`] after `bound`, [`TestnetError::Ended`] as soon as it ends.
    pub async fn wait_ready(&mut self, n: usize, bound: Duration) -> Result<(), TestnetError> {
        let ready = async |client: &Client| match client.health("/health/ready", ASK_MAX).await {
            Ok((status, health)) if status.is_success() && health.status == HealthStatus::Ok => Ok(Some(())),
            // It has not begun to listen, or not finished to sync.
            Ok(_) | Err(ClientError::NotSent(_) | ClientError::Unknown(_)) => Ok(None),
            Err(error) => Err(error),
        };
        self.wait(n, "ready", bound, ready).await
    }

    /// Waits until all nodes that run are ready, `bound` for each.
    ///
    /// # Errors
    /// As [`Processes::wait_ready`].
    pub async fn wait_all_ready(&mut self, bound: Duration) -> Result<(), TestnetError> {
        for n in 0..self.count() {
            if self.nodes[n].process.is_some() {
                self.wait_ready(n, bound).await?;
            }
        }
        Ok(())
    }

    /// Asks node `n` with `ask` until it returns something, which is then returned. `what` is named when it never does.
    ///
    /// # Errors
    /// [`TestnetError::TooLate`] after `bound`, [`TestnetError::Ended`] as soon as the node ends, and what `ask` returns.
    pub async fn wait<T>(
        &mut self,
        n: usize,
        what: &str,
        bound: Duration,
        ask: impl AsyncFn(&Client) -> Result<Option<T>, ClientError>,
    ) -> Result<T, TestnetError> {
        let Node { place, client, process, .. } = &mut self.nodes[n];
        let Some(process) = process else {
            return Err(TestnetError::NotRunning { node: place.name.clone() });
        };
        let start = Instant::now();
        loop {
            process.check_running(&place.log)?;
            if let Some(found) = ask(client).await? {
                return Ok(found);
            }
            if start.elapsed() > bound {
                let last = match client.head(ASK_MAX).await {
                    Ok(head) => format!("height {}, confirmed {}", head.height, head.confirmed_height),
                    Err(error) => error.to_string(),
                };
                return Err(TestnetError::TooLate { what: format!("{}: {what}", place.name), bound, last });
            }
            sleep(POLL).await;
        }
    }
}
