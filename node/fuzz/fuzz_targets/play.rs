//! An agreement with a liar among the validators, who signs what the bytes say.
#![no_main]

assay_fuzz::target!("play");
