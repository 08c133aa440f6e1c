//! The documents that are written from tables and from the help texts.

use std::{fmt::Write as _, process::Command};

use fpx::{
    block::rows::{BLOCKS, SCALE_RULES},
    codec::{NanPolicy, NanTo, Overflow, PRESETS, ROUNDING_MODES, Subnormals, Tininess},
    format::CATALOGUE,
};

use crate::assert_document;

/// What stands at the top of each of these documents.
fn header(title: &str, from: &str) -> String {
    format!(
        "# {title}\n\n<!-- Written from {from} by `FPX_BLESS=1 cargo test --test docs`; a test fails when it is stale. -->\n\n"
    )
}

/// Runs the binary and returns what it prints.
fn fpx(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fpx"))
        .args(arguments)
        .env("COLUMNS", "100")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "fpx {}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("text")
}

/// A Markdown table of rows.
fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    let rule = vec!["---".to_owned(); headings.len()];
    let rows: String = rows.into_iter().map(|cells| line(&cells)).collect();
    line(&headings) + &line(&rule) + &rows + "\n"
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes(texts: &[&str]) -> String {
    texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(" ")
}

#[test]
fn formats_md() {
    let mut text = header("Formats", "the catalogue");
    text += "`s/e/m` are the bits of sign, exponent and stored significand. The same with every derived parameter, and the\n\
             value of every code of formats of up to 8 bits: `fpx formats --json`.\n\n";
    text += &fpx(&["formats", "--emit", "markdown"]);
    text += "\n## What each is good for\n\n";
    text += &table(
        &["format", "good for", "weak at", "source"],
        CATALOGUE.iter().map(|row| {
            let texts = [row.good_for, row.weak_at, row.source].map(str::to_owned);
            [vec![code(row.format.name())], texts.into()].concat()
        }),
    );
    text += "## Block formats\n\nElements under a shared scale; `/floor` (default) `/rceil` `/ceil` `/even` choose the scale, see\n\
             [rounding.md](rounding.md); `/block:N` and `/axis:K` change the block.\n\n";
    text += &table(
        &["format", "elements a block", "element", "good for", "weak at", "source"],
        BLOCKS.iter().map(|row| {
            let element = code(row.element.name());
            let texts = [row.good_for, row.weak_at, row.source].map(str::to_owned);
            [vec![code(row.name), row.size.to_string(), element], texts.into()].concat()
        }),
    );
    text += "## Other spellings that are read\n\n\
             Case, `_`, `-` and the prefixes of other libraries (`torch.`, `np.`, `ml_dtypes.`, ...) do not matter. Any other\n\
             `eXmY` is IEEE-like, with suffixes `:bias=N` `:fn` `:fnuz` `:finite` `:unsigned` `:nosub`; P3109's formats are\n\
             `binary{K}p{P}{s|u}{e|f}`.\n\n";
    text += &table(
        &["format", "also read"],
        CATALOGUE.iter().map(|row| vec![code(row.format.name()), codes(row.aliases)]),
    );
    assert_document("docs/formats.md", &(text.trim_end().to_owned() + "\n"));
}

/// A section of one option's values, the default first.
fn policy(option: &str, about: &str, values: Vec<(&str, &str)>) -> String {
    let rows = values.into_iter().map(|(name, about)| vec![code(name), about.to_owned()]);
    format!("## `--{option}`: {about}\n\n{}", table(&["value", "meaning"], rows))
}

#[test]
fn rounding_md() {
    let mut text =
        header("Rounding and policies", "the tables of modes, policies, presets and scale rules");
    text += "A number is rounded once, from its exact value, as if exponents had no upper bound; then overflow is tested.\n\
             In each table of an option the first value is the default.\n\n";
    text += "## `--rounding`: which neighbour\n\n";
    text += &table(
        &["mode", "meaning", "source", "also read"],
        ROUNDING_MODES.iter().map(|mode| {
            vec![
                code(mode.name),
                mode.about.to_owned(),
                mode.source.to_owned(),
                codes(mode.aliases),
            ]
        }),
    );
    let values = |all: Vec<(&'static str, &'static str)>| all;
    text += &policy(
        "overflow",
        "beyond the largest finite value",
        values(Overflow::ALL.iter().map(|p| (p.name(), p.about())).collect()),
    );
    text += &policy(
        "nan",
        "a NaN where the format has one",
        values(NanPolicy::ALL.iter().map(|p| (p.name(), p.about())).collect()),
    );
    text += &policy(
        "nan-to",
        "a NaN where the format has none",
        values(NanTo::ALL.iter().map(|p| (p.name(), p.about())).collect()),
    );
    text += &policy(
        "subnormals",
        "subnormal results",
        values(Subnormals::ALL.iter().map(|p| (p.name(), p.about())).collect()),
    );
    text += &policy(
        "tininess",
        "the underflow flag",
        values(Tininess::ALL.iter().map(|p| (p.name(), p.about())).collect()),
    );
    text += "## `--like`: the policies of another implementation\n\nAn explicit option beats the preset, in any order.\n\n";
    text += &table(
        &["preset", "overflow", "nan", "nan-to", "tininess", "reproduces", "source"],
        PRESETS.iter().map(|p| {
            let policies = [p.overflow.name(), p.nan.name(), p.nan_to.name(), p.tininess.name()];
            let policies = policies.map(code).to_vec();
            [vec![code(p.name)], policies, vec![p.about.to_owned(), p.source.to_owned()]].concat()
        }),
    );
    text += "## Scale rules of block formats\n\n";
    text += &table(
        &["word", "meaning", "source"],
        SCALE_RULES.iter().map(|row| {
            vec![code(&format!("/{}", row.name)), row.about.to_owned(), row.source.to_owned()]
        }),
    );
    assert_document("docs/rounding.md", &(text.trim_end().to_owned() + "\n"));
}

#[test]
fn cli_md() {
    let mut text = header("Command line", "the help texts");
    let help = fpx(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).expect("commands");
    let names: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let section = |title: &str, help: &str| {
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        format!("## {title}\n\n```text\n{}\n```\n\n", lines.join("\n").trim_end())
    };
    text += &section("fpx", &help);
    for name in names {
        let _ = write!(text, "{}", section(&format!("fpx {name}"), &fpx(&[name, "--help"])));
    }
    assert_document("docs/cli.md", &(text.trim_end().to_owned() + "\n"));
}
