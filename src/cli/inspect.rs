//! `fpx inspect`: the bits of numbers on standard output.

use fpx::{
    inspect::numbers::{self, Config, Formats, InspectError},
    report::{Emit, Screen},
};

use super::{
    Outcome,
    failure::usage,
    operand::Operand,
    options::{self, Common, RoundingArgs},
    output::Output,
};

/// Show the bits of a number, or the tensors of a file
///
/// A number is shown in five formats, a bit pattern in the common formats of its width. With one
/// --format everything about it is shown: fields, exact value, neighbours, the reals that round to it.
/// With several, a pattern is a code of the first and the others show its value.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fpx inspect 0.1
  fpx inspect 0x3dcd --format bf16
  fpx inspect 0.1 --format e4m3fn --explain")]
pub(crate) struct Args {
    /// Numbers, bit patterns or a file
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Formats to show, or 'all' [default: f32,f16,bf16,e4m3fn,e5m2]
    #[arg(long, short = 't', value_name = "FORMAT[,..]", value_delimiter = ',', visible_aliases = ["formats", "to"])]
    format: Vec<String>,
    /// Show the rounding step by step
    #[arg(long)]
    explain: bool,
    /// table json jsonl csv markdown [default: table]
    #[arg(long, value_name = "KIND")]
    emit: Option<String>,
    #[command(flatten)]
    rounding: RoundingArgs,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let mut inputs = Vec::new();
    for text in &args.inputs {
        match Operand::classify(text)? {
            Operand::Number(number) => inputs.push(number),
            other @ (Operand::StandardInput | Operand::Exhaustive(_) | Operand::Edges(_)) => {
                return Err(usage(format!("inspect shows numbers and files, found {other}")));
            }
            path @ Operand::Path(_) => {
                return Err(usage(format!("{path} is a file; numbers and files do not mix")));
            }
        }
    }
    let config = Config {
        inputs,
        formats: formats(&args.format, out)?,
        projection: args.rounding.projection()?,
        seed: args.rounding.seed,
        explain: args.explain,
    };
    let report = numbers::run(&config).map_err(|error: InspectError| usage(error))?;
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    out.text(&report.render(emit(args.emit.as_deref(), common)?, screen))?;
    Ok(Outcome::Done)
}

fn formats(names: &[String], out: &mut Output) -> anyhow::Result<Formats> {
    match names {
        [] => Ok(Formats::Usual),
        [all] if all == "all" => Ok(Formats::All),
        names => Ok(Formats::Given(options::specs(names, out)?)),
    }
}

/// Reads `--emit` and `--json`.
pub(crate) fn emit(name: Option<&str>, common: &Common) -> anyhow::Result<Emit> {
    common.emit(name)?.map_or(Ok(Emit::default()), |name| name.parse().map_err(usage))
}
