//! The container engine, through its command line: Docker and either form of Compose.

use crate::TestnetError;
use std::{path::Path, process::Output};
use tokio::process::Command;

/// How an engine is told what to do.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    /// `docker compose` or `docker-compose`.
    compose: Vec<&'static str>,
}

impl Engine {
    /// The engine of this machine.
    ///
    /// # Errors
    /// [`TestnetError::NoEngine`], with what is missing.
    pub async fn find() -> Result<Self, TestnetError> {
        let none = |reason: &str| TestnetError::NoEngine { reason: reason.to_owned() };
        let answers = async |program: &str, arguments: &[&str]| {
            let tried = Command::new(program).args(arguments).output().await;
            tried.is_ok_and(|output| output.status.success())
        };
        if !answers("docker", &["version"]).await {
            return Err(none("'docker version' does not reach one: is it installed and running, and may you use it?"));
        }
        if answers("docker", &["compose", "version"]).await {
            return Ok(Self { compose: vec!["docker", "compose"] });
        }
        if answers("docker-compose", &["version"]).await {
            return Ok(Self { compose: vec!["docker-compose"] });
        }
        Err(none("neither 'docker compose' nor 'docker-compose' is installed"))
    }

    /// Runs `docker` with these arguments; returns what it printed.
    ///
    /// # Errors
    /// When it fails, with its words.
    pub async fn docker(&self, arguments: &[&str]) -> Result<String, TestnetError> {
        run("docker", arguments).await
    }

    /// The last lines that a container has logged; a message where there is none of that name.
    ///
    /// # Errors
    /// When the engine cannot be run.
    pub async fn logs(&self, container: &str, lines: &str) -> Result<String, TestnetError> {
        let done = Command::new("docker").args(["logs", "--tail", lines, container]).output().await;
        let done = done.map_err(TestnetError::system("docker logs"))?;
        Ok(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    }

    /// Runs Compose with the file at `file` for `project`.
    ///
    /// # Errors
    /// When it fails, with its words.
    pub async fn compose(&self, project: &str, file: &Path, arguments: &[&str]) -> Result<String, TestnetError> {
        let (program, first) = self.compose.split_first().expect("a program and its arguments");
        let file = file.to_string_lossy();
        let all = [first, &["-p", project, "-f", &file], arguments].concat();
        run(program, &all).await
    }
}

/// Runs a program to its end; returns what it printed.
///
/// # Errors
/// When it fails, with its words.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<String, TestnetError> {
    let what = || format!("{program} {}", arguments.join(" "));
    let done = Command::new(program).args(arguments).kill_on_drop(true).output().await;
    let Output { status, stdout, stderr } = done.map_err(TestnetError::system(what()))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&stderr).trim().to_owned();
    Err(TestnetError::system(what())(std::io::Error::other(said)))
}
