//! A seeded, deterministic simulator for tokio, libp2p and RocksDB programs.
