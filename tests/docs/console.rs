//! Every `console` block of the documents is run, and its output compared exactly.
//!
//! A line that begins with `$ ` is a command of the shell, one that begins with `> ` goes on with it; the
//! lines after it are what it prints on both streams, and `[exit N]` ends a command that fails. `[..]` stands for any text within a line,
//! and only where a figure is a time. The blocks of a document run in one folder, one after the other.

use std::fmt::Write as _;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{assert_document, binary_folder, path, read};

/// A block whose commands take minutes: it is run with `--features exhaustive` only.
const LONG: &str = "```console long";

/// GNU parallel, as far as the documents use it, for machines without it: one job after the other.
const PARALLEL: &str = r#"command -v parallel > /dev/null || parallel() {
    local job=$1 argument; shift 2
    for argument; do bash -c "${job//\{\}/$argument}" || return; done
}"#;

/// Runs one command in a folder and returns what it prints.
fn run(command: &str, folder: &Path) -> String {
    let inherited = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{PARALLEL}\n{command}")])
        .current_dir(folder)
        .env("PATH", format!("{}:{inherited}", binary_folder().display()))
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match output.status.code() {
        Some(0) => text,
        code => text + &format!("[exit {}]\n", code.unwrap_or(-1)),
    }
}

/// Whether a line is as expected, where `[..]` stands for any text.
fn matches(expected: &str, found: &str) -> bool {
    let mut parts = expected.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Returns what the document should say: what the commands print, keeping lines that match.
fn with_output_of_commands(document: &str, folder: &Path) -> String {
    let mut out = String::new();
    let mut lines = document.lines().peekable();
    while let Some(line) = lines.next() {
        let _ = writeln!(out, "{line}");
        let is_run = line == "```console" || (line == LONG && cfg!(feature = "exhaustive"));
        if !is_run {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            let _ = writeln!(out, "{line}");
            let Some(first) = line.strip_prefix("$ ") else { continue };
            let mut command = first.to_owned();
            while let Some(line) = lines.next_if(|line| line.starts_with("> ")) {
                let _ = writeln!(out, "{line}");
                command += &line[1..].replacen(' ', "\n", 1);
            }
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| *line != "```" && !line.starts_with("$ ")) {
                expected.push(line);
            }
            for (i, found) in run(&command, folder).lines().enumerate() {
                let as_expected = expected.get(i).filter(|expected| matches(expected, found));
                let _ = writeln!(out, "{}", as_expected.unwrap_or(&found));
            }
        }
    }
    out
}

/// The documents: the README and all of `docs`.
fn documents() -> Vec<String> {
    let mut names = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for entry in fs::read_dir(path("docs")).expect("docs").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().into_string().expect("a name");
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            names.push(format!("docs/{name}"));
        }
    }
    names
}

#[test]
fn every_command_prints_what_the_document_says() {
    let mut commands = 0;
    for name in documents() {
        let document = read(&name);
        commands += document.matches("\n$ ").count();
        let folder = tempfile::tempdir().expect("a folder");
        assert_document(&name, &with_output_of_commands(&document, folder.path()));
    }
    assert!(commands > 20, "only {commands} commands were found");
}

#[test]
fn a_line_matches_itself_and_any_text_for_two_dots() {
    assert!(matches("a b", "a b") && !matches("a b", "a b c") && !matches("a b", "a c"));
    assert!(matches("took [..] s", "took 1.25 s") && !matches("took [..] s", "took 1.25 m"));
    assert!(matches("[..] of [..]", "1 of 2") && !matches("x[..]", "y"));
}
