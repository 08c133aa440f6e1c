//! House rules that no linter has: the import order of the rooms, the length of files, where format names, `unsafe`
//! and printing may stand, sources and names of table rows, links in documents, and the one place of the MSRV.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use fpx::block::rows::{BLOCKS, SCALE_RULES};
use fpx::codec::{PRESETS, ROUNDING_MODES};
use fpx::format::CATALOGUE;

/// The rooms in import order: each may use only those before it.
const ROOMS: [&str; 9] =
    ["format", "codec", "text", "random", "kernel", "block", "stats", "report", "container"];
/// The jobs: they may use every room and no other job.
const JOBS: [&str; 4] = ["convert", "inspect", "sweep", "train"];
/// The longest file in `src/`, in lines.
const LONGEST: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder of the repository with this extension, without what cargo builds.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no .{extension} file in {folder}");
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

/// A piece of Rust source.
enum Piece {
    Code(String),
    Literal(String),
}

/// Splits source into code and string literals; comments and the unit tests at the end are left out.
fn pieces(source: &str) -> Vec<Piece> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut pieces = Vec::new();
    let mut code = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let raw_hashes = rest.strip_prefix('r').map(|r| r.len() - r.trim_start_matches('#').len());
        let raw = raw_hashes.filter(|n| rest[1 + n..].starts_with('"'));
        let is_after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let (Some(hashes), false) = (raw, is_after_word) {
            let body = &rest[hashes + 2..];
            let close = format!("\"{}", "#".repeat(hashes));
            let end = body.find(&close).unwrap();
            pieces.push(Piece::Code(std::mem::take(&mut code)));
            pieces.push(Piece::Literal(body[..end].to_owned()));
            rest = &body[end + close.len()..];
        } else if c == '"' {
            let end = closing_quote(&rest[1..]);
            pieces.push(Piece::Code(std::mem::take(&mut code)));
            pieces.push(Piece::Literal(rest[1..=end].to_owned()));
            rest = &rest[end + 2..];
        } else if let Some(length) = char_literal(rest) {
            rest = &rest[length..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    pieces.push(Piece::Code(code));
    pieces
}

/// Where the quote that closes a string is, from the string's first byte.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    text.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })
    .expect("a string literal ends")
}

/// The length of a character literal at the start of a text; a lifetime is none.
fn char_literal(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let end = if first == '\\' { 1 + body[1..].char_indices().nth(1)?.0 } else { first.len_utf8() };
    let end = if first == '\\' { end + body[end..].find('\'')? } else { end };
    body[end..].starts_with('\'').then_some(end + 2)
}

/// The code of a file as one text, without literals.
fn code_of(path: &Path) -> String {
    let pieces = pieces(&fs::read_to_string(path).unwrap());
    let code = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Code(code) => Some(code),
        Piece::Literal(_) => None,
    });
    code.collect::<Vec<_>>().join(" ")
}

/// The words of a code, in order.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The rooms that a code names after `crate::`, in braces too.
fn rooms_used(code: &str) -> Vec<&str> {
    let mut used = Vec::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            None => used.extend(words(after).next()),
            Some(group) => {
                // The names at the first level of the braces.
                let mut depth = 0;
                let mut start = 0;
                for (at, c) in group.char_indices() {
                    if depth == 0 && (c == ',' || c == '}') {
                        used.extend(words(&group[start..at]).next());
                        start = at + 1;
                    }
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        _ => {}
                    }
                }
            }
        }
    }
    used
}

#[test]
fn rooms_use_only_the_rooms_above_them() {
    let mut checked = 0;
    for path in files("src", "rs") {
        let name = shown(&path);
        let room = name.split('/').nth(1).unwrap().trim_end_matches(".rs");
        if !ROOMS.contains(&room) && !JOBS.contains(&room) {
            assert!(matches!(room, "cli" | "lib" | "main"), "{name} is in no known room");
            continue;
        }
        let place = |other: &str| ROOMS.iter().position(|r| *r == other).unwrap_or(ROOMS.len());
        let code = code_of(&path);
        for used in rooms_used(&code) {
            checked += 1;
            assert!(used == room || place(used) < place(room), "{name} uses {used}");
        }
        assert!(!words(&code).any(|word| word == "clap"), "{name} names clap");
    }
    assert!(checked > 50, "only {checked} uses were found");
}

#[test]
fn files_are_short() {
    for path in files("src", "rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", shown(&path));
    }
}

#[test]
fn format_names_are_literals_only_in_the_catalogue() {
    let names: HashSet<&str> = CATALOGUE.iter().map(|row| row.format.name()).collect();
    let mut found = Vec::new();
    for path in files("src", "rs") {
        let name = shown(&path);
        for piece in pieces(&fs::read_to_string(&path).unwrap()) {
            match piece {
                Piece::Literal(text) if names.contains(text.as_str()) => {
                    found.push(format!("{name}: \"{text}\""));
                }
                Piece::Literal(_) | Piece::Code(_) => {}
            }
        }
    }
    let (catalogue, elsewhere): (Vec<&String>, Vec<&String>) =
        found.iter().partition(|literal| literal.starts_with("src/format/"));
    assert!(catalogue.len() >= names.len(), "literals are not found");
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
}

#[test]
fn unsafe_code_stays_in_the_kernels() {
    for path in files("src", "rs") {
        let name = shown(&path);
        let is_unsafe = words(&code_of(&path)).any(|word| word == "unsafe");
        assert!(!is_unsafe || name.starts_with("src/kernel/"), "{name} has unsafe code");
    }
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let lines: Vec<&str> = library.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        if line.starts_with("pub mod ") && *line != "pub mod kernel;" {
            assert_eq!(lines[i - 1], "#[forbid(unsafe_code)]", "above '{line}'");
        }
    }
}

#[test]
fn only_the_output_prints() {
    for path in files("src", "rs") {
        let name = shown(&path);
        let code = code_of(&path);
        for macro_name in ["print", "println", "eprint", "eprintln", "dbg", "todo", "unimplemented"]
        {
            let called = words(&code).any(|word| word == macro_name)
                && code.split(&format!("{macro_name}!")).skip(1).count() > 0;
            assert!(!called || name == "src/cli/output.rs", "{name} calls {macro_name}!");
        }
        for path_name in ["process::exit", "io::stdout", "io::stderr"] {
            let called = code.contains(path_name);
            assert!(!called || name == "src/cli/output.rs", "{name} calls {path_name}");
        }
    }
}

#[test]
fn every_row_has_a_source_and_a_name_of_its_own() {
    fn check<'a>(table: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut seen = HashSet::new();
        for (name, source) in rows {
            let is_plain = |c: char| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
            };
            assert!(!name.is_empty() && name.chars().all(is_plain), "{table}: name '{name}'");
            assert!(seen.insert(name.to_owned()), "{table}: two rows are called '{name}'");
            assert!(source.len() > 5, "{table}: '{name}' has no source");
        }
        assert!(!seen.is_empty(), "{table} is empty");
    }
    check("formats", CATALOGUE.iter().map(|row| (row.format.name(), row.source)));
    check("rounding modes", ROUNDING_MODES.iter().map(|row| (row.name, row.source)));
    check("presets", PRESETS.iter().map(|row| (row.name, row.source)));
    check("block formats", BLOCKS.iter().map(|row| (row.name, row.source)));
    check("scale rules", SCALE_RULES.iter().map(|row| (row.name, row.source)));
}

/// The targets of the links of a Markdown text, code blocks apart.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        for part in line.split("](").skip(1).filter(|_| !in_code) {
            targets.extend(part.split_once(')').map(|(target, _)| target.to_owned()));
        }
    }
    targets
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for path in files(".", "md") {
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            let has_heading = |text: String| {
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                headings.any(|line| anchor(line.trim_start_matches('#')) == fragment)
            };
            let leads = match fs::read_to_string(&target) {
                Ok(text) => fragment.is_empty() || has_heading(text),
                Err(_) => fragment.is_empty() && target.is_dir(),
            };
            if !leads {
                broken.push(format!("{}: {link}", shown(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_msrv_is_stated_once() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let stated: Vec<&str> = manifest.lines().filter(|line| line.contains("rust-version")).collect();
    let [line] = stated[..] else { panic!("rust-version is stated {} times", stated.len()) };
    let version = line.split('"').nth(1).unwrap();
    let mut others = files(".", "md");
    others.extend([
        root().join("clippy.toml"),
        root().join("rustfmt.toml"),
        root().join(".ci/run"),
    ]);
    for path in others {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(version), "{} repeats Rust {version}", shown(&path));
    }
}

/// Bits do not depend on the machine: no native byte order, and no function of the platform's mathematics library, whose
/// last bits differ between systems (`libm`, in Rust, has the same everywhere; `sqrt` is exact by IEEE 754).
#[test]
fn results_do_not_depend_on_the_platform() {
    let elsewhere = [
        "to_ne_bytes",
        "from_ne_bytes",
        "exp",
        "exp2",
        "exp_m1",
        "ln",
        "ln_1p",
        "log",
        "log2",
        "log10",
        "powf",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sinh",
        "cosh",
        "asin",
        "acos",
        "atan",
        "atan2",
        "cbrt",
        "hypot",
    ];
    for path in files("src", "rs") {
        let code = code_of(&path);
        for name in elsewhere {
            let is_called = [".", "f32::", "f64::"]
                .iter()
                .any(|before| code.contains(&format!("{before}{name}(")));
            assert!(!is_called, "{} calls {name}", shown(&path));
        }
    }
}
