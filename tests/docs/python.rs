//! The Python functions of docs/algorithms.md agree with fpx on every code and on 100,000 patterns.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use crate::read;

/// The longest function, in lines.
const LONGEST: usize = 40;

/// Returns the Python blocks of the document.
fn functions() -> String {
    let document = read("docs/algorithms.md");
    let blocks: Vec<&str> =
        document.split("```python\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "no Python in docs/algorithms.md");
    blocks.join("\n")
}

/// Runs a command with this input and returns its output.
fn output(command: &mut Command, input: String) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("a writer").expect("input");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Patterns of binary32: the neighbours of every binary16 and bfloat16 tie in some binades, and a
/// sequence that visits every exponent.
fn patterns() -> Vec<u32> {
    let mut patterns = Vec::new();
    for high in (0..0x1_0000_u32).step_by(7) {
        for low in [0x0fff, 0x1000, 0x1001, 0x7fff, 0x8000, 0x8001] {
            patterns.push(high << 16 | low);
        }
    }
    let mut state = 1_u32;
    while patterns.len() < 100_000 {
        state = state.wrapping_mul(0x915f_77f5).wrapping_add(12345);
        patterns.push(state.rotate_left(13));
    }
    patterns
}

/// Compares a function with fpx on some codes.
fn compare(function: &str, from: &str, to: &str, codes: &[String]) {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("functions.py");
    let digits = if to == "f32" { 8 } else { 4 };
    let driver = format!(
        "import sys\nfor line in sys.stdin:\n    print(format({function}(int(line, 16)), '0{digits}x'))\n"
    );
    fs::write(&script, functions() + "\n" + &driver).expect("a script");
    let input = codes.join("\n") + "\n";
    let theirs = output(Command::new("python3").arg(&script), input.clone());
    let ours = output(
        Command::new(env!("CARGO_BIN_EXE_fpx"))
            .args(["convert", "-", "--codes", "--from", from, "--to", to, "--emit", "hex"]),
        input,
    );
    assert_eq!(ours.lines().count(), codes.len());
    for ((code, ours), theirs) in codes.iter().zip(ours.lines()).zip(theirs.lines()) {
        assert_eq!(theirs, ours, "{function}(0x{code})");
    }
    assert_eq!(theirs.lines().count(), codes.len());
}

#[test]
fn narrowing_agrees_on_a_hundred_thousand_patterns() {
    let codes: Vec<String> = patterns().iter().map(|code| format!("{code:08x}")).collect();
    assert!(codes.len() >= 100_000);
    compare("f32_to_f16", "f32", "f16", &codes);
    compare("f32_to_bf16", "f32", "bf16", &codes);
}

#[test]
fn widening_agrees_on_every_code() {
    let codes: Vec<String> = (0..0x1_0000).map(|code| format!("{code:04x}")).collect();
    compare("f16_to_f32", "f16", "f32", &codes);
    compare("bf16_to_f32", "bf16", "f32", &codes);
}

#[test]
fn every_function_is_short_and_needs_the_standard_library_only() {
    let source = functions();
    let functions: Vec<&str> = source.split("\ndef ").collect();
    assert!(functions.len() >= 4);
    for function in functions {
        assert!(function.trim_end().lines().count() <= LONGEST, "{function}");
    }
    for line in source.lines().filter(|line| line.contains("import")) {
        assert_eq!(line, "import struct");
    }
}
