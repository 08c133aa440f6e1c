//! Pipes, colour and width: what surrounds the output.

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use crate::util::fpx;

/// Runs a command line whose reader leaves after the first bytes.
fn read_a_little(arguments: &[&str]) -> (Option<i32>, String, Vec<u8>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fpx"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut start = vec![0; 64];
    child.stdout.take().expect("a pipe").read_exact(&mut start).expect("64 bytes");
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code(), stderr, start)
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [
        &["convert", "exhaustive:f16", "--to", "bf16"][..],
        &["convert", "exhaustive:f32", "--to", "bf16", "--emit", "bits"],
        &["convert", "exhaustive:f16", "--to", "bf16", "--json"],
        &["formats", "--json"],
        &["--help"],
        &["man"],
        &["completions", "bash"],
    ] {
        let (code, stderr, _) = read_a_little(arguments);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_input_output_error() {
    for arguments in ["convert 1", "convert exhaustive:f16 --emit bits", "formats --json", "--help"]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let output = Command::new(env!("CARGO_BIN_EXE_fpx"))
            .args(arguments.split(' '))
            .stdout(full)
            .output()
            .expect("the binary runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let expected = "error: standard output: no space left on device\n";
        assert_eq!((output.status.code(), stderr.as_str()), (Some(4), expected), "{arguments}");
    }
}

const ESCAPE: char = '\u{1b}';

#[test]
fn a_pipe_has_no_colour_unless_asked_for() {
    let has_colour = |line: &str, environment: &[(&str, &str)]| {
        let start = environment.iter().fold(fpx(line), |fpx, (name, value)| fpx.env(name, value));
        start.run().stdout.contains(ESCAPE)
    };
    let line = "inspect 0.1";
    assert!(!has_colour(line, &[]));
    assert!(has_colour("inspect 0.1 --color always", &[]));
    assert!(has_colour("--color=always inspect 0.1", &[]));
    assert!(has_colour(line, &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colour(line, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!has_colour("inspect 0.1 --color never", &[("CLICOLOR_FORCE", "1")]));
    assert!(has_colour("inspect 0.1 --color always", &[("NO_COLOR", "1")]));
    for machine in ["--json", "--emit csv", "--emit jsonl"] {
        assert!(!has_colour(&format!("inspect 0.1 --color always {machine}"), &[]), "{machine}");
    }
}

#[test]
fn colour_changes_no_character_of_the_text() {
    for line in ["inspect 0.1", "inspect 0x3dcd --format bf16", "convert 1 2", "formats f16"] {
        let plain = fpx(line).run().stdout;
        let colour = fpx(line).env("CLICOLOR_FORCE", "1").run().stdout;
        assert!(colour.contains(ESCAPE), "{line}");
        assert_eq!(anstream::adapter::strip_str(&colour).to_string(), plain, "{line}");
    }
}

#[test]
fn errors_are_coloured_as_the_output_is() {
    let ran = fpx("convert x --color always").run();
    assert!(ran.stderr.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m 'x'"), "{:?}", ran.stderr);
    assert!(!fpx("convert x").run().stderr.contains(ESCAPE));
}

#[test]
fn sixty_columns_are_enough() {
    for line in [
        "inspect 0.1",
        "inspect -0.01",
        "inspect 0.1 --format bf16 --explain",
        "inspect 0.1 --format f32 --explain",
        "convert 3.14159 -65519 --to f16,bf16",
        "formats",
        "formats bf16 e5m2",
    ] {
        let ran = fpx(line).env("COLUMNS", "60").run();
        for text in ran.stdout.lines() {
            assert!(text.chars().count() <= 60, "{line}: {text:?}");
            assert_eq!(text, text.trim_end(), "{line}");
        }
    }
}

#[test]
fn a_pipe_is_a_hundred_columns_wide_and_has_no_hints() {
    for line in ["inspect 0.1", "inspect 0.1 --format all", "inspect pi.txt", "formats"] {
        let ran = fpx(line).run();
        assert!(ran.stdout.lines().all(|text| text.chars().count() <= 100), "{line}");
        assert!(!ran.stdout.contains("step by step"), "{line}");
    }
}

#[test]
fn a_narrow_screen_shows_the_same_in_two_tables() {
    fpx("inspect 0.1").env("COLUMNS", "60").prints(
        "\
0.1   no binary format holds it exactly; rounded once, to
      nearest, ties to even; overflow ieee

format  s exponent significand              code
f32     0 01111011 10011001100110011001101  0x3dcccccd
f16     0 01011    1001100110               0x2e66
bf16    0 01111011 1001101                  0x3dcd
e4m3fn  0 0011     101                      0x1d
e5m2    0 01011    10                       0x2e

format  exact value                    relative, ulp
f32     0.100000001490116119384765625  +1.5e-8 +0.20
f16     0.0999755859375                -2.4e-4 -0.40
bf16    0.10009765625                  +9.8e-4 +0.20
e4m3fn  0.1015625                      +1.6e-2 +0.20
e5m2    0.09375                        -6.2e-2 -0.40
",
    );
}
