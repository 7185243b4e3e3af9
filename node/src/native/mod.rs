//! The native drivers: a node as a process of an operating system.
//!
//! | module | does |
//! |---|---|
//! | [`seams`] | fills the six seams: libp2p TCP, a `tokio::net` listener, RocksDB's own `Env`, the system's clock, `spawn_blocking`, [`memory`] |
//! | [`memory`] | how much memory there is, and how much of it is taken |
//! | [`home`] | the directory that a node lives in: making it, reading it, refusing someone else's |
//! | [`database`] | the database's directory: ours, empty, or someone else's |
//! | [`files`] | the files beside the database |
//! | [`keys`] | secret keys in files that only their owner reads |
//! | [`settings`] | what settings there are and how layers of them add up; pure |
//! | [`config_file`] | reading those layers: file, `ASSAY_*` variables, flags |
//! | [`logs`] | where log lines go |
//! | [`log_file`] | a file of them: rotated by size, opened anew, tried again after a failure |
//! | [`backups`] | backups of a home: made by its node or here, read, restored |
//! | [`lifecycle`] | start, signals, stop |
//! | [`health`] | asking a running node how it is |
//! | [`cli`] | the command line over all of these |
//!
//! Whatever an operator can get wrong is found before anything is written, and is told in one line that ends with what to
//! do about it.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the native drivers are the one place that touches files, sockets, variables and the system's clock"
)]

pub mod backups;
pub mod cli;
pub mod config_file;
pub mod database;
pub mod files;
pub mod health;
pub mod home;
pub mod keys;
pub mod lifecycle;
pub mod log_file;
pub mod logs;
pub mod memory;
pub mod seams;
pub mod settings;
