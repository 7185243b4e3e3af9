//! What a peer answers: ranges of blocks, addresses, its status.
#![no_main]

assay_fuzz::target!("response");
