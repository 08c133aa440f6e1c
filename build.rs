//! Records the revision for `fpx --version`: of the checkout, or of the one that a package was made from.

use std::{fs, path::Path, process::Command};

/// Digits of a revision that are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let revision = checkout().or_else(packaged).unwrap_or_default();
    let revision: String = revision.chars().take(DIGITS).collect();
    println!("cargo::rustc-env=FPX_REVISION={revision}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The revision of this checkout; a repository around an unpacked package is another's.
fn checkout() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    // Every commit and checkout adds a line to it. A path that is not there would rebuild every time.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "HEAD"])
}

/// The revision that `cargo package` noted.
fn packaged() -> Option<String> {
    let note = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, revision) = note.split_once("\"sha1\": \"")?;
    Some(revision.split('"').next()?.to_owned())
}
