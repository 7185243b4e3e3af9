//! Transactions, as gossip carries them.
#![no_main]

assay_fuzz::target!("transaction");
