//! The wheel carries the command: built, installed into a fresh environment and run.
//!
//! It needs `maturin` and `python3`, and builds in release mode: `cargo test --test wheel -- --ignored`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{ffi::OsStr, fs, path::Path, process::Command};

/// Runs a command that must succeed, and returns what it prints.
fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
    let output = Command::new(program.as_ref()).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}\n{stderr}", program.as_ref().display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs maturin, and builds in release mode"]
fn an_installed_wheel_runs_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = manifest.to_str().unwrap();
    run("maturin", &["build", "--release", "--locked", "-m", manifest, "-o", &path("wheels")]);
    let mut wheels = fs::read_dir(dir.path().join("wheels")).unwrap();
    let wheel = wheels.next().unwrap().unwrap().path();
    assert!(wheels.next().is_none() && wheel.extension() == Some(OsStr::new("whl")));
    run("python3", &["-m", "venv", &path("python")]);
    let pip = path("python/bin/pip");
    run(pip, &["install", "--quiet", "--no-index", wheel.to_str().unwrap()]);
    let fpx = path("python/bin/fpx");
    let version = run(&fpx, &["--version"]);
    assert!(version.starts_with(concat!("fpx ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert_eq!(run(&fpx, &["convert", "3.14159", "--to", "bf16", "--emit", "bits"]), "0x4049\n");
}
