//! What the fuzz targets have in common: a form of `tests/forms`, and the seeds that it begins with.

#[path = "../../tests/forms/mod.rs"]
mod forms;

pub use forms::Form;
use std::path::Path;

/// Names the folder that seeds are to be written to. The program then does nothing else but to say, on its output, how many
/// bytes of this form a node looks at.
const SEEDS: &str = "FUZZ_SEEDS";

/// The form with this name.
///
/// # Panics
/// When there is none.
pub fn form(name: &str) -> Form {
    let form = forms::of_peers().into_iter().find(|form| form.name == name);
    form.expect("a target is named for a form that peers send")
}

/// Writes the seeds of a target and ends the program, if that is what it was started for.
#[expect(clippy::disallowed_methods, reason = "this is no part of a node")]
pub fn begin(name: &str) {
    let Some(folder) = std::env::var_os(SEEDS) else { return };
    let Form { samples, bytes_max, .. } = form(name);
    for (n, sample) in samples.iter().enumerate() {
        std::fs::write(Path::new(&folder).join(format!("seed-{n}")), sample).expect("the folder is there");
    }
    println!("{bytes_max}");
    std::process::exit(0);
}

/// The target of one form: whatever the bytes are, looking at them does not panic, and what they mean has one encoding.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        static FORM: std::sync::LazyLock<$crate::Form> = std::sync::LazyLock::new(|| $crate::form($name));
        libfuzzer_sys::fuzz_target!(init: $crate::begin($name), |bytes: &[u8]| {
            (FORM.check)(bytes);
        });
    };
}
