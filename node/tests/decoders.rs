//! What peers and disks send is decoded from bytes that anybody may have made: nothing of it panics, and a value has one
//! encoding, so that what decodes encodes to the same bytes.

mod forms;

use assay_node::{encode, types::Consensus};
use forms::{Form, samples, used};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

fn all() -> impl Iterator<Item = Form> {
    forms::of_peers().into_iter().chain(forms::of_disks())
}

#[test]
fn values_come_back_from_their_encoding() {
    for Form { name, check, samples, bytes_max } in all() {
        for sample in samples {
            assert!(check(&sample), "{name}");
            assert!(!check(&[&sample[..], &[0]].concat()), "{name}: a byte too many");
            assert!(sample.len() <= bytes_max, "{name}: a node would not look at it");
            // Some are shorter values; they come back as well.
            for len in 0..sample.len() {
                check(&sample[..len]);
            }
        }
    }
}

#[test]
fn each_form_of_peers_has_a_fuzz_target() {
    let targets = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets")).expect("it is there");
    let file = |target: std::io::Result<std::fs::DirEntry>| target.expect("it can be read").file_name();
    let mut targets: Vec<_> = targets.map(|target| file(target).into_string().expect("it is ASCII")).collect();
    let mut forms: Vec<_> = forms::of_peers().iter().map(|form| format!("{}.rs", form.name)).collect();
    targets.sort();
    forms.sort();
    assert_eq!(targets, forms);
}

/// What is done with a value shows something only if right ones get to its end.
#[test]
fn samples_are_right() {
    for block in [samples::worked(), samples::agreed(), samples::led()] {
        used::judge(&block).expect("it stands on genesis");
    }
    used::judge(&samples::proposed()).expect_err("nobody has agreed on it");
    for genesis in samples::documents() {
        assert_eq!(genesis.validate(), Ok(()));
    }
    for proof in samples::account_proofs() {
        assert_eq!(proof.verify(proof.state_root), Ok(()));
    }
    for proof in samples::inclusions() {
        assert_eq!(proof.verify(proof.transactions_root), Ok(()));
    }
}

/// A map in another order, or with a key twice, would be another document for the same chain.
#[test]
fn a_map_has_one_encoding() {
    let genesis = encode(&samples::genesis(Consensus::Pow));
    // The accounts are the last that such a chain has: 20 bytes of address and 8 of amount each.
    let (start, each) = (genesis.len() - 28 * usize::from(samples::VALIDATORS), 28);
    let mut swapped = genesis.clone();
    swapped[start..].rotate_left(each);
    let mut twice = genesis.clone();
    twice.copy_within(start..start + each, start + each);
    for odd in [swapped, twice] {
        assert!(borsh::from_slice::<assay_node::types::Genesis>(&odd).is_err());
    }
}

#[test]
fn bytes_of_anybody_do_not_panic_and_have_one_meaning() {
    let mut runner = TestRunner::deterministic();
    for Form { name, check, samples, .. } in all() {
        let mut run = |strategy: BoxedStrategy<Vec<u8>>| {
            let checked = runner.run(&strategy, |bytes| {
                check(&bytes);
                Ok(())
            });
            checked.unwrap_or_else(|error| panic!("{name}: {error}"));
        };
        run(vec(any::<u8>(), 0..600).boxed());
        for sample in samples {
            run(changed(sample).boxed());
        }
    }
}

/// The bytes, with some of them replaced.
fn changed(sample: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 1..8).prop_map(move |changes| {
        let mut bytes = sample.clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}
