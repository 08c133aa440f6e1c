//! `fpx formats`: the catalogue on standard output.

use fpx::report::{Screen, catalogue};

use super::{
    Outcome, inspect,
    options::{self, Common},
    output::Output,
};

/// List the formats, or tell what some are good for
///
/// With --json, every derived parameter, and for formats of up to 8 bits the value of each code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fpx formats
  fpx formats bf16 fp8 mxfp4
  fpx formats --json > formats.json")]
pub(crate) struct Args {
    /// Formats by any name; all of the catalogue if there are none
    #[arg(value_name = "FORMAT")]
    formats: Vec<String>,
    /// table json jsonl csv markdown [default: table]
    #[arg(long, value_name = "KIND")]
    emit: Option<String>,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let names: Vec<String> =
        args.formats.iter().flat_map(|name| name.split(',')).map(str::to_owned).collect();
    let specs = options::specs(&names, out)?;
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    let emit = inspect::emit(args.emit.as_deref(), common)?;
    out.text(&catalogue::report(&specs).render(emit, screen))?;
    Ok(Outcome::Done)
}
