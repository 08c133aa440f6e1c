//! What has to be done to an argument list before clap sees it.
//!
//! clap reads `-inf`, `-.5` and `-0x1p-3` as bundles of short flags. Arguments in operand position
//! that parse as numbers therefore get U+2212 for their minus, which the number grammar reads too.

use std::ffi::OsString;

use clap::Command;
use fpx::text::literal;

/// The minus sign that is not a hyphen.
pub(super) const MINUS: &str = "\u{2212}";

/// Replaces the hyphen of negative numbers that stand as operands.
pub(crate) fn protect_negative_numbers(
    command: &Command,
    arguments: Vec<OsString>,
) -> Vec<OsString> {
    let mut scope = command;
    let mut is_value = false;
    let mut only_operands = false;
    arguments
        .into_iter()
        .map(|argument| {
            let Some(text) = argument.to_str() else { return argument };
            if only_operands || std::mem::take(&mut is_value) {
                return argument;
            }
            if text == "--" {
                only_operands = true;
                return argument;
            }
            if let Some(operand) = negative_number(text) {
                return operand.into();
            }
            if text.starts_with('-') {
                is_value = takes_value(command, scope, text);
            } else if let Some(subcommand) = command.find_subcommand(text) {
                scope = subcommand;
            }
            argument
        })
        .collect()
}

/// Returns a negative number with its other minus.
fn negative_number(text: &str) -> Option<String> {
    let magnitude = text.strip_prefix('-')?;
    // What begins as a number is one, so that its error is that of a number.
    let digits = magnitude.strip_prefix('.').unwrap_or(magnitude);
    let reads = literal::parse(text).is_ok() || digits.starts_with(|c: char| c.is_ascii_digit());
    reads.then(|| format!("{MINUS}{magnitude}"))
}

/// Whether the next argument is the value of this option.
fn takes_value(root: &Command, scope: &Command, option: &str) -> bool {
    if option.contains('=') {
        return false;
    }
    let mut arguments = scope.get_arguments().chain(root.get_arguments());
    let found = match option.strip_prefix("--") {
        Some(long) => arguments.find(|a| {
            a.get_long() == Some(long) || a.get_all_aliases().is_some_and(|all| all.contains(&long))
        }),
        // Of a bundle such as `-qt`, the last may take the value.
        None => arguments.find(|a| a.get_short() == option.chars().last()),
    };
    found.is_some_and(|a| {
        a.get_action().takes_values() && a.get_num_args().is_none_or(|n| n.min_values() > 0)
    })
}

/// Whether the command line is a request for the version, before any subcommand.
pub(crate) fn asks_for_version(arguments: &[OsString]) -> bool {
    let is_option = |argument: &&OsString| argument.as_encoded_bytes().starts_with(b"-");
    let mut options = arguments.iter().skip(1).take_while(is_option);
    options.any(|argument| argument == "--version" || argument == "-V")
}
