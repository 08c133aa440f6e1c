//! Errors become one line on standard error and an exit code.

use std::{ffi::OsString, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{argv::MINUS, options::Common, output};

/// What kind of failure an error is; its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An argument is wrong.
    Usage = 2,
    /// Input data is wrong.
    Data = 3,
    /// Input or output failed.
    Io = 4,
    /// The user interrupted.
    Interrupted = 130,
}

/// An error with its kind.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

impl Failure {
    /// The exit code of a check that did not hold.
    pub(crate) const CHECK: u8 = 1;
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Returns the error of a wrong argument.
#[expect(clippy::needless_pass_by_value, reason = "an error is handed on, not lent")]
pub(crate) fn usage(message: impl ToString) -> anyhow::Error {
    Failure { kind: Kind::Usage, message: message.to_string() }.into()
}

/// Returns the error of an option's value that is none of those it takes.
pub(crate) fn unknown(option: &str, value: &str, accepted: &[&str]) -> anyhow::Error {
    let (last, others) = accepted.split_last().unwrap_or((&"", &[]));
    usage(format!("unknown --{option} '{value}': expected {} or {last}", others.join(", ")))
}

/// Returns the error of wrong input data.
#[expect(clippy::needless_pass_by_value, reason = "an error is handed on, not lent")]
pub(crate) fn data(message: impl ToString) -> anyhow::Error {
    Failure { kind: Kind::Data, message: message.to_string() }.into()
}

/// Returns the error of failed input or output on something with a name.
pub(crate) fn io(name: impl std::fmt::Display, error: &std::io::Error) -> anyhow::Error {
    Failure { kind: Kind::Io, message: format!("{name}: {}", reason(error)) }.into()
}

/// Returns the error of failed input or output that says itself on what.
#[expect(clippy::needless_pass_by_value, reason = "an error is handed on, not lent")]
pub(crate) fn input_output(message: impl ToString) -> anyhow::Error {
    Failure { kind: Kind::Io, message: message.to_string() }.into()
}

/// Returns the error of a file that does not exist.
pub(crate) fn missing(name: &str) -> anyhow::Error {
    let message = format!("'{}': no such file or folder", fpx::report::escape(name));
    Failure { kind: Kind::Io, message }.into()
}

/// Returns an input/output error in lower case and without the number of the system call's error.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text[..1].to_ascii_lowercase() + &text[1..]
}

/// Prints the one line of an error and returns its exit code; a closed pipe is no error.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if output::is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let kind = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()).map_or_else(
        || {
            if error.chain().any(<dyn std::error::Error>::is::<std::io::Error>) {
                Kind::Io
            } else {
                Kind::Usage
            }
        },
        |failure| failure.kind,
    );
    // An input/output error that nobody gave a name is one of writing data.
    let message = match error.downcast_ref::<std::io::Error>() {
        Some(error) => format!("standard output: {}", reason(error)),
        None => format!("{error:#}"),
    };
    output::error_line(&fpx::report::escape(&message.replace(MINUS, "-")));
    ExitCode::from(kind as u8)
}

/// Prints help as asked for, or turns clap's message into one line.
pub(crate) fn usage_or_help(
    error: &clap::Error,
    command: &clap::Command,
    arguments: &[OsString],
) -> anyhow::Result<ExitCode> {
    if error.kind() == ErrorKind::DisplayHelp {
        let mut out = output::Output::new(&Common::default());
        out.styled(&error.render())?;
        out.finish()?;
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    let subcommands = format!("{} (see 'fpx --help')", names.join(", "));
    let first = arguments.get(1).map_or_else(String::new, |first| first.to_string_lossy().into());
    let is_number = fpx::text::literal::parse(&first).is_ok();
    Err(usage(match (error.kind(), suggestion(error)) {
        (ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument, _) if is_number => {
            format!("unknown subcommand '{first}', did you mean 'fpx inspect {first}'?")
        }
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand, _) => {
            format!("a subcommand is expected: {subcommands}")
        }
        (ErrorKind::InvalidSubcommand, None) => {
            format!("unknown subcommand '{first}': expected {subcommands}")
        }
        (_, Some(name)) => format!("{}, did you mean '{name}'?", one_line(error)),
        (_, None) => one_line(error),
    }))
}

/// Joins the lines of clap's message, without its usage.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> =
        message.trim_start_matches("error: ").split('\n').map(str::trim).collect();
    lines.join(" ")
}

/// The name that clap finds near an unknown one.
#[expect(clippy::wildcard_enum_match_arm, reason = "clap may add kinds of context")]
fn suggestion(error: &clap::Error) -> Option<String> {
    [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| match error.get(kind)? {
            ContextValue::String(name) => Some(name.clone()),
            ContextValue::Strings(names) => names.first().cloned(),
            _ => None,
        })
}
