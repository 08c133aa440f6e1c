//! Arguments become a job's configuration, a report goes to standard output, an error becomes one
//! line and an exit code.

mod argv;
mod convert;
mod convert_files;
mod error_sweep;
mod failure;
mod file_args;
mod formats;
mod inspect;
mod operand;
mod options;
mod output;
mod progress;
mod save;
mod shell;
mod train_demo;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use failure::Failure;
use output::Output;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was asked for is done.
    Done,
    /// A check asked for by the user did not hold: exit code 1.
    CheckFailed,
}

/// Floating-point formats, bit by bit: convert numbers and checkpoints, inspect bits, measure errors,
/// train in mixed precision.
#[derive(Debug, Parser)]
#[command(
    name = "fpx",
    disable_version_flag = true,
    max_term_width = 100,
    after_help = "\
Examples:
  fpx inspect 0.1                       what 0.1 becomes in five formats
  fpx convert 3.14159 --to bf16         one number, rounded once
  fpx error-sweep                       what four formats cost on a normal distribution
  fpx train-demo                        mixed-precision training, measured

Exit codes: 0 done, 1 a check failed, 2 usage, 3 bad input data, 4 input/output, 130 interrupted"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: options::Common,
    /// Print version, revision and instruction sets
    #[arg(long, short = 'V', action = clap::ArgAction::SetTrue)]
    version: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(Box<convert::Args>),
    Inspect(Box<inspect::Args>),
    ErrorSweep(Box<error_sweep::Args>),
    TrainDemo(Box<train_demo::Args>),
    Formats(formats::Args),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match start(arguments) {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the arguments are used up")]
fn start(arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let command = Cli::command();
    if argv::asks_for_version(&arguments) {
        let mut out = Output::new(&options::Common::default());
        out.text(&shell::version())?;
        out.finish()?;
        return Ok(ExitCode::SUCCESS);
    }
    let protected = argv::protect_negative_numbers(&command, arguments.clone());
    let matches = command.clone().try_get_matches_from(protected);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return failure::usage_or_help(&error, &command, &arguments),
    };
    cli.common.apply();
    fpx::kernel::instruction_set().map_err(failure::usage)?;
    let mut out = Output::new(&cli.common);
    let outcome = dispatch(cli.command, &cli.common, &mut out)?;
    out.finish()?;
    Ok(match outcome {
        Outcome::Done => ExitCode::SUCCESS,
        Outcome::CheckFailed => ExitCode::from(Failure::CHECK),
    })
}

fn dispatch(
    command: Command,
    common: &options::Common,
    out: &mut Output,
) -> anyhow::Result<Outcome> {
    match command {
        Command::Convert(args) => convert::run(&args, common, out),
        Command::Inspect(args) => inspect::run(&args, common, out),
        Command::ErrorSweep(args) => error_sweep::run(&args, common, out),
        Command::TrainDemo(args) => train_demo::run(&args, common, out),
        Command::Formats(args) => formats::run(&args, common, out),
        Command::Completions(args) => shell::completions(&args, &mut Cli::command(), out),
        Command::Man(args) => shell::man(&args, &Cli::command(), out),
    }
}
