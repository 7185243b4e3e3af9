//! What a peer asks.
#![no_main]

assay_fuzz::target!("request");
