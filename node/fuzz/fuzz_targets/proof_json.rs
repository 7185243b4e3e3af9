//! Proofs, as a node gives them to a client that trusts no node.
#![no_main]

assay_fuzz::target!("proof_json");
