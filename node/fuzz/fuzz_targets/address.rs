//! What peers tell of where others are.
#![no_main]

assay_fuzz::target!("address");
