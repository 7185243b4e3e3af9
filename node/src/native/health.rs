//! Asking a running node how it is, over its API.

use crate::api::{
    Client,
    client::ClientError,
    model::{Health, HealthStatus},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::TcpStream, runtime};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Every check; something amiss is still healthy while the node serves.
    All,
    /// Whether the process answers.
    Live,
    /// Whether it is synced and takes transactions.
    Ready,
}

impl Question {
    /// The route that answers it.
    pub fn path(self) -> &'static str {
        match self {
            Self::All => "/health",
            Self::Live => "/health/live",
            Self::Ready => "/health/ready",
        }
    }
}

/// A node that is not healthy, or of which that is not known.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// There is no such address.
    #[error("{0:?} is no address of an API; give one like http://127.0.0.1:8000")]
    Address(String),
    /// It says that something is wrong.
    #[error("not healthy: {0}; see the node's log")]
    Unhealthy(String),
    /// Nobody answers, or nobody who knows the question.
    #[error("no answer from {authority}: {cause}; see whether the node runs, and where its api.listen is")]
    Unreachable {
        /// Who was asked.
        authority: String,
        /// What happened.
        cause: String,
    },
    /// The system gives no threads or no sockets.
    #[error("cannot ask: {0}; check the limits of this user")]
    System(#[from] io::Error),
}

/// `HOST:PORT` out of `http://HOST:PORT`.
///
/// # Errors
/// [`HealthError::Address`] for anything else.
pub fn authority_of_url(url: &str) -> Result<String, HealthError> {
    let wrong = || HealthError::Address(url.to_owned());
    let authority = url.strip_prefix("http://").ok_or_else(wrong)?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    if host.is_empty() || !host.chars().all(is_name) || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    Ok(authority.to_owned())
}

/// Where to ask a node of this machine that listens at `listen`: of every address, the loopback one.
///
/// # Errors
/// [`HealthError::Address`] for port 0, which stands for one that only the running node knows.
pub fn authority_of_listener(mut listen: SocketAddr) -> Result<String, HealthError> {
    if listen.port() == 0 {
        return Err(HealthError::Address(listen.to_string()));
    }
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    Ok(listen.to_string())
}

/// Asks the node at `authority` and waits `time_max` at most. Returns its answer as text.
///
/// # Errors
/// [`HealthError::Unhealthy`] for an answer that is a no, and [`HealthError::Unreachable`] for none.
pub fn ask(authority: &str, question: Question, time_max: Duration) -> Result<String, HealthError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let target = authority.to_owned();
    let client = Client::new(authority, move || TcpStream::connect(target.clone()));
    match runtime.block_on(client.health(question.path(), time_max)) {
        Ok((status, health)) if status.is_success() => Ok(summary(&health, HealthStatus::Ok)),
        Ok((_, health)) => Err(HealthError::Unhealthy(summary(&health, HealthStatus::Degraded))),
        Err(ClientError::Refused { message, .. }) => Err(HealthError::Unhealthy(message)),
        Err(error) => Err(HealthError::Unreachable { authority: authority.to_owned(), cause: error.to_string() }),
    }
}

/// The checks that are at least as bad as `from`, in one line.
fn summary(health: &Health, from: HealthStatus) -> String {
    let word = |status| match status {
        HealthStatus::Ok => "ok",
        HealthStatus::Degraded => "degraded",
        HealthStatus::Unavailable => "unavailable",
    };
    let checks = health.checks.iter().filter(|(_, check)| check.status >= from);
    let checks: Vec<_> =
        checks.map(|(name, check)| format!("{name} {} ({})", word(check.status), check.detail)).collect();
    format!("{}: {}", word(health.status), checks.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_a_port() {
        let of = |url| authority_of_url(url).ok();
        assert_eq!(of("http://127.0.0.1:8000").as_deref(), Some("127.0.0.1:8000"));
        assert_eq!(of("http://node-0.nodes:8000/").as_deref(), Some("node-0.nodes:8000"));
        assert_eq!(of("http://[::1]:8000").as_deref(), Some("[::1]:8000"));
        for wrong in
            ["127.0.0.1:8000", "https://a:1", "http://a", "http://a:b", "http://:1", "http://a/b:1", "http://a:70000"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_listener_on_every_address_is_asked_on_loopback() {
        let of = |listen: &str| authority_of_listener(listen.parse().expect("it is an address")).ok();
        assert_eq!(of("0.0.0.0:8000").as_deref(), Some("127.0.0.1:8000"));
        assert_eq!(of("[::]:8000").as_deref(), Some("[::1]:8000"));
        assert_eq!(of("192.0.2.1:8000").as_deref(), Some("192.0.2.1:8000"));
        assert_eq!(of("127.0.0.1:0"), None);
    }
}
