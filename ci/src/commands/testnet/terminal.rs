//! What differs on a terminal: colours, a line of progress, Ctrl-C.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// Between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(100);

/// Colours of a terminal's sixteen, so that they fit whatever the user has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Dim,
    Red,
    Green,
    Yellow,
    /// One of six, for telling nodes apart.
    Node(usize),
}

impl Color {
    fn code(self) -> String {
        match self {
            Color::Dim => "2".to_owned(),
            Color::Red => "31".to_owned(),
            Color::Green => "32".to_owned(),
            Color::Yellow => "33".to_owned(),
            Color::Node(n) => [36, 33, 35, 32, 34, 31][n % 6].to_string(),
        }
    }
}

/// The text in a colour, where there are colours.
pub fn paint(text: &str, color: Option<Color>, in_color: bool) -> String {
    match color {
        Some(color) if in_color => format!("\x1b[{}m{text}\x1b[0m", color.code()),
        Some(_) | None => text.to_owned(),
    }
}

/// Whether standard output is a terminal that may be coloured.
pub fn in_color() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A line of progress on standard error; nothing when that is no terminal, or when JSON is printed.
pub struct Line(ProgressBar);

impl Line {
    pub fn new(is_json: bool) -> Self {
        let target = match io::stderr().is_terminal() && !is_json {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{spinner} {msg}").expect("the template is one of ours");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    pub fn show(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }

    /// Prints a line above it, on standard output.
    pub fn say(&self, line: impl std::fmt::Display) {
        self.0.suspend(|| crate::output::say(line));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Ends when somebody wants this command to end: Ctrl-C, SIGTERM, or a terminal that is closed.
pub async fn interrupted() {
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    // Without signals nobody can interrupt it but by the system's default, which ends it.
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = signals else { return std::future::pending().await };
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
