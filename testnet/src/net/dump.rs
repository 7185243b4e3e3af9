//! Everything that helps to study a failure, in one archive; and never a secret.
//!
//! What goes in is named here, file by file: whatever else is in the folder, keys above all, stays out. What cannot be had is in
//! the archive as a text that says why.

use super::{Net, error::NetError, files::end_of, logs::part, process_id::Condition, program, state::STATE_FILE};
use assay_node::{api::Client, native::seams::now};
use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde::Serialize;
use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Bytes of a node's logs, at most: the last ones.
pub const LOG_BYTES_MAX: u64 = 16 << 20;

/// How long a node's program may read its database.
const DATABASE_MAX: Duration = Duration::from_secs(120);

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What a node is asked.
const ROUTES: [(&str, &str); 3] =
    [("/health", "health.json"), ("/api/v1/chain/info", "info.json"), ("/metrics", "metrics.txt")];

/// What its program is asked about its database.
const QUESTIONS: [(&[&str], &str); 3] = [
    (&["db", "check", "--json"], "db-check.json"),
    (&["db", "stats", "--json"], "db-stats.json"),
    (&["backup", "list", "--json"], "backups.json"),
];

/// What is read of a home. Nothing of it is secret.
const FILES: [&str; 2] = ["config.toml", "genesis.json"];

/// An archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dumped {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What is in it.
    pub entries: Vec<String>,
    /// What is not, and why; in the archive as well.
    pub missing: Vec<String>,
}

impl Net {
    /// Makes the archive at `out`, or beside the net's folder under a name with the time.
    ///
    /// # Errors
    /// When it cannot be written. What cannot be had of a node is no error.
    pub async fn dump(&self, out: Option<&Path>) -> Result<Dumped, NetError> {
        let name = format!("{}-dump-{}", self.state.name, now().0 / 1000);
        let path = match out {
            Some(out) => out.to_owned(),
            None => self.root.path().join(format!("{name}.tar.gz")),
        };
        let failed = || NetError::system(format!("cannot write {}", path.display()));
        let file = File::create_new(&path).map_err(failed())?;
        let archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        let mut dump = Dump { archive, top: name, entries: Vec::new(), missing: Vec::new() };
        if let Err(error) = self.fill(&mut dump).await {
            // Half an archive would be taken for a whole one. The error says why there is none.
            let _removed = fs::remove_file(&path);
            return Err(failed()(error));
        }
        let file = dump.archive.into_inner().and_then(GzEncoder::finish).map_err(failed())?;
        file.sync_all().map_err(failed())?;
        let bytes = file.metadata().map_err(failed())?.len();
        Ok(Dumped { path, bytes, entries: dump.entries, missing: dump.missing })
    }

    async fn fill(&self, dump: &mut Dump) -> io::Result<()> {
        dump.file(STATE_FILE, &self.folder.join(STATE_FILE))?;
        dump.json("status.json", &self.status().await)?;
        let system = ["/proc/version", "/proc/uptime", "/proc/loadavg", "/proc/meminfo"];
        for path in system {
            dump.file(&format!("system{path}"), Path::new(path))?;
        }
        for (n, node) in self.state.nodes.iter().enumerate() {
            let name = &node.name;
            for file in FILES {
                dump.file(&format!("{name}/{file}"), &node.home.join(file))?;
            }
            dump.logs(name, &node.log)?;
            if let Some(process) = &node.process {
                for file in ["status", "stat", "limits", "io"] {
                    let path = format!("/proc/{}/{file}", process.pid);
                    // Another process may have the number by now, and that one is nobody's business here.
                    if process.condition() != Condition::Gone {
                        dump.file(&format!("{name}/process/{file}"), Path::new(&path))?;
                    }
                }
            }
            if self.condition(n) == Condition::Running {
                let client = self.client(n);
                for (route, file) in ROUTES {
                    let answer = ask(&client, route).await;
                    dump.add_or_say(&format!("{name}/{file}"), answer)?;
                }
            }
            let version = program::output(node, "--version", &["--version".as_ref()], ANSWER_MAX).await;
            dump.add_or_say(&format!("{name}/version.txt"), version.map_err(|error| error.to_string()))?;
            for (question, file) in QUESTIONS {
                let words = question.iter().map(OsStr::new).chain(["--home".as_ref(), node.home.as_os_str()]);
                let args: Vec<_> = words.collect();
                let answer = program::output(node, &question.join(" "), &args, DATABASE_MAX).await;
                dump.add_or_say(&format!("{name}/{file}"), answer.map_err(|error| error.to_string()))?;
            }
        }
        if !dump.missing.is_empty() {
            let text = dump.missing.join("\n") + "\n";
            dump.add("missing.txt", text.as_bytes())?;
        }
        Ok(())
    }
}

/// A route's answer, whatever its status.
async fn ask(client: &Client, route: &str) -> Result<Vec<u8>, String> {
    let answer = client.request(Method::GET, route, None, ANSWER_MAX).await;
    answer.map(|answer| answer.body.to_vec()).map_err(|error| error.to_string())
}

/// An archive that is being made. An error is one of writing it.
struct Dump {
    archive: tar::Builder<GzEncoder<File>>,
    /// The one folder that everything in it is in.
    top: String,
    entries: Vec<String>,
    missing: Vec<String>,
}

impl Dump {
    fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(now().0 / 1000);
        self.archive.append_data(&mut header, format!("{}/{name}", self.top), bytes)?;
        self.entries.push(name.to_owned());
        Ok(())
    }

    fn add_or_say(&mut self, name: &str, bytes: Result<Vec<u8>, String>) -> io::Result<()> {
        match bytes {
            Ok(bytes) => self.add(name, &bytes),
            Err(cause) => {
                self.missing.push(format!("{name}: {cause}"));
                Ok(())
            }
        }
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(value).expect("a status has a JSON form");
        self.add(name, &text)
    }

    fn file(&mut self, name: &str, path: &Path) -> io::Result<()> {
        self.add_or_say(name, fs::read(path).map_err(|error| error.to_string()))
    }

    /// The end of a log, older parts of it included, from the newest one on.
    fn logs(&mut self, node: &str, log: &Path) -> io::Result<()> {
        let mut room = LOG_BYTES_MAX;
        for n in 0.. {
            let path = if n == 0 { log.to_owned() } else { part(log, n) };
            if room == 0 || (n > 0 && !path.exists()) {
                return Ok(());
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let read = end_of(&path, room, 0);
            room -= read.as_ref().map_or(0, |bytes| bytes.len() as u64);
            self.add_or_say(&format!("{node}/{name}"), read.map_err(|error| error.to_string()))?;
        }
        Ok(())
    }
}
