//! Genesis documents in the form that is hashed and stored.
#![no_main]

assay_fuzz::target!("genesis");
