//! What validators send each other: proposals with their blocks, votes, and proofs of votes.
#![no_main]

assay_fuzz::target!("agreement");
