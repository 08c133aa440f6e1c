//! The documents: their commands are run and compared, what is generated from tables is up to date,
//! and the Python in them agrees with fpx.
//!
//! `FPX_BLESS=1 cargo test --test docs` writes what the commands print and the tables say.

mod console;
mod generated;
mod python;

use std::{fs, path::PathBuf};

/// Returns the path of a file of the repository.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Asserts that a document is what it should be, or makes it so.
fn assert_document(name: &str, expected: &str) {
    if std::env::var_os("FPX_BLESS").is_some() {
        fs::write(path(name), expected).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    let found = read(name);
    let differs = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
    assert!(
        found == expected,
        "{name}:{} is stale, FPX_BLESS=1 cargo test --test docs writes it anew\nfound    {:?}\nexpected {:?}",
        line + 1,
        found.lines().nth(line),
        expected.lines().nth(line),
    );
}

/// The folder of the binary, to be put on the PATH.
fn binary_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_fpx")).parent().expect("a folder").to_owned()
}
