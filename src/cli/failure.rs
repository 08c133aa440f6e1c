//! Errors become one line on standard error and an exit code.

use std::{ffi::OsString, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{options::Common, output};

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
pub(crate) fn usage(message: impl ToString) -> anyhow::Error {
    Failure { kind: Kind::Usage, message: message.to_string() }.into()
}

/// Returns the error of wrong input data.
pub(crate) fn data(message: impl ToString) -> anyhow::Error {
    Failure { kind: Kind::Data, message: message.to_string() }.into()
}

/// Returns the error of failed input or output on something with a name.
pub(crate) fn io(name: impl std::fmt::Display, error: &std::io::Error) -> anyhow::Error {
    Failure { kind: Kind::Io, message: format!("{name}: {}", reason(error)) }.into()
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
    output::error_line(&format!("{error:#}"));
    ExitCode::from(kind as u8)
}

/// Prints help or a version as asked for, or turns clap's message into one line.
pub(crate) fn usage_or_help(
    error: &clap::Error,
    arguments: &[OsString],
) -> anyhow::Result<ExitCode> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let mut out = output::Output::new(&Common::default());
            out.styled(&error.render())?;
            out.finish()?;
            Ok(ExitCode::SUCCESS)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Err(usage(
            "a subcommand is expected: convert, inspect, error-sweep, train-demo or formats (see 'fpx --help')",
        )),
        _ => Err(usage(one_line(error, arguments))),
    }
}

/// Joins the message and the first suggestion of clap's error.
fn one_line(error: &clap::Error, arguments: &[OsString]) -> String {
    if let Some(number) = bare_number(error, arguments) {
        return format!("unknown subcommand '{number}', did you mean 'fpx inspect {number}'?");
    }
    let text = error.render().to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    let message: Vec<&str> =
        message.trim_start_matches("error: ").split('\n').map(str::trim).collect();
    let message = message.join(" ");
    match suggestion(error) {
        Some(name) => format!("{message}, did you mean '{name}'?"),
        None => message,
    }
}

fn suggestion(error: &clap::Error) -> Option<String> {
    [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| match error.get(kind)? {
            ContextValue::String(name) => Some(name.clone()),
            ContextValue::Strings(names) => names.first().cloned(),
            _ => None,
        })
}

/// The number that stands where a subcommand should.
fn bare_number<'a>(
    error: &clap::Error,
    arguments: &'a [OsString],
) -> Option<std::borrow::Cow<'a, str>> {
    let first = arguments.get(1)?.to_string_lossy();
    let unknown = matches!(error.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument);
    (unknown && fpx::text::literal::parse(&first).is_ok()).then_some(first)
}
