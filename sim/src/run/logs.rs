//! The nodes' own logs during a run, stamped with virtual time and host.

use crate::world::{current_clock, current_host};
use std::fmt;
use tracing::Dispatch;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::dynamic_filter_fn,
    fmt::{format::Writer, time::FormatTime},
    layer::SubscriberExt,
};

/// Whose logs are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Hosts by number; empty is all.
    pub hosts: Vec<usize>,
    /// A level, or a filter such as `info,assay_node::p2p=debug`.
    pub level: String,
}

impl LogFilter {
    /// What sends the logs of a thread to standard error while it is that thread's default. It is to be made on another
    /// thread than the run's: it makes hash maps, whose keys the standard library counts up by thread, and every map of the
    /// run would have other keys with it than without.
    pub(super) fn dispatch(&self) -> Dispatch {
        let hosts = self.hosts.clone();
        let wanted = dynamic_filter_fn(move |_, _| {
            current_host().is_some_and(|host| hosts.is_empty() || hosts.contains(&host.index()))
        });
        let level = EnvFilter::builder().parse_lossy(&self.level);
        let lines = tracing_subscriber::fmt::layer().with_timer(VirtualTime).with_writer(std::io::stderr);
        Dispatch::new(tracing_subscriber::registry().with(level).with(lines.with_filter(wanted)))
    }
}

struct VirtualTime;

impl FormatTime for VirtualTime {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        match (current_clock(), current_host()) {
            (Some(clock), Some(host)) => write!(w, "{:10.3}s n{}", clock.now().as_secs_f64(), host.index()),
            _ => w.write_str("harness"),
        }
    }
}
