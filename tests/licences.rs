//! Every dependency comes under a licence that goes with fpx's own, and the texts of those are here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// Licences that ask for no more than a notice.
const ALLOWED: [&str; 8] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression can be met by allowed licences: AND binds tighter than OR; old manifests write `/`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    split(expression, " OR ")
        .or_else(|| split(expression, " AND "))
        .or_else(|| {
            let inner = expression.strip_prefix('(')?.strip_suffix(')')?;
            Some(is_allowed(inner))
        })
        .unwrap_or_else(|| ALLOWED.contains(&expression))
}

/// Splits at an operator outside parentheses; `None` if there is none.
fn split(expression: &str, operator: &str) -> Option<bool> {
    let is_outside = |at: usize| {
        let before = &expression[..at];
        before.matches('(').count() == before.matches(')').count()
    };
    let (at, _) = expression.match_indices(operator).find(|(at, _)| is_outside(*at))?;
    let (left, right) =
        (is_allowed(&expression[..at]), is_allowed(&expression[at + operator.len()..]));
    Some(if operator == " OR " { left || right } else { left && right })
}

#[test]
fn expressions_are_understood() {
    for (expression, allowed) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-2.0-only", false),
        ("MIT/GPL-2.0", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0-only OR (MIT AND Zlib)", true),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}

/// Reads what cargo knows of the dependencies on this platform; nothing is fetched.
fn metadata() -> Value {
    let version =
        Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into())).arg("-vV").output();
    let version = String::from_utf8(version.unwrap().stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--offline",
            "--format-version",
            "1",
            "--filter-platform",
            host,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn dependencies_have_permissive_licences() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "only {} packages", packages.len());
    let refused: Vec<_> = packages
        .iter()
        .map(|package| (&package["name"], package["license"].as_str().unwrap_or_default()))
        .filter(|(_, licence)| !is_allowed(licence))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn the_texts_are_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, words) in [
        ("LICENSE-MIT", "Permission is hereby granted, free of charge"),
        ("LICENSE-APACHE", "Apache License"),
        ("NOTICE", "licensed under CC BY 4.0"),
    ] {
        assert!(fs::read_to_string(root.join(file)).unwrap().contains(words), "{file}");
    }
}
