//! `fpx convert`: arguments become a configuration, answers go to standard output.

use std::io;

use fpx::{
    block::spec::Spec,
    convert::{
        check::{self, CheckError, Difference},
        emit::{self, EMITS, Emit, Writer},
        numbers::{Config, ConfigError, Converter, Input},
        stream::{self, Source, StreamError},
        table,
        tensor::{Tensor, Texts},
        vectors::Vectors,
    },
    format::{BF16, F16, F32, Format},
    report::{self, Encoder, Screen, answer},
};

use super::{
    Outcome,
    convert_files::{self, Request},
    failure::{self, data, usage},
    file_args::FileArgs,
    operand::Operand,
    options::{self, Common, RoundingArgs},
    output::Output,
};

/// Convert numbers, streams of numbers, tensor files and checkpoint folders
///
/// A number is rounded once, from its exact value; with --from it is held in that format first. A bit
/// pattern such as 0x3c00 or 16'h3c00 is a code of --from. Standard input (-) has one number a line.
/// exhaustive:F is every code of F; edges:F the codes around every value and midpoint of --to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fpx convert 3.14159 --to bf16 --emit bits
  fpx convert --from f16 0x7bff --to f32 --emit values
  fpx convert edges:f32 --to bf16 --emit testfloat > vectors.txt")]
pub(crate) struct Args {
    /// Numbers, bit patterns, '-', exhaustive:F, edges:F or a file
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// The format inputs are held in
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Formats to convert to [default: f16,bf16; f32 from those]
    #[arg(long, short, value_name = "FORMAT[,..]", value_delimiter = ',', visible_aliases = ["format", "formats"])]
    to: Vec<String>,
    /// table bits hex values json jsonl csv markdown testfloat readmemh c [default: table]
    #[arg(long, value_name = "KIND")]
    emit: Option<String>,
    /// Inputs are bare hex codes of --from
    #[arg(long)]
    codes: bool,
    /// Each line is `input expected [flags]`: print only the differences, exit 1 if there are any
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    rounding: RoundingArgs,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let operands = operands(args)?;
    if let Some(inputs) = args.files.inputs(&operands)? {
        let emit = common.emit(args.emit.as_deref())?;
        if args.codes || args.check || emit.is_some_and(|name| name != "json") {
            return Err(usage("--codes, --check and --emit are for numbers, the input is a file"));
        }
        let request = Request {
            inputs,
            is_json: emit.is_some(),
            files: &args.files,
            from: args.from.as_deref(),
            to: &args.to,
            projection: args.rounding.projection()?,
            seed: args.rounding.seed,
        };
        return convert_files::run(&request, common, out);
    }
    let config = config(args, &operands, out)?;
    let emit = emit_kind(args, common)?;
    if args.check {
        return check(&config, emit, &operands, out);
    }
    check_emit(&config, emit)?;
    let converter = Converter::new(&config);
    let sources = sources(&converter, &operands)?;
    if config.targets.iter().any(|target| !target.is_plain()) {
        return tensor(&converter, emit, sources, out);
    }
    let numbers: Option<Vec<Input>> = sources.iter().map(number).collect();
    match numbers {
        Some(numbers) if emit == Emit::Table => {
            let report = table::report(&converter, &numbers).map_err(usage)?;
            let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
            out.text(&report.render(report::Emit::Table, screen))?;
        }
        _ => stream(&converter, emit, sources, out)?,
    }
    Ok(Outcome::Done)
}

/// Classifies the inputs; with --codes, whatever is no stream is a code.
fn operands(args: &Args) -> anyhow::Result<Vec<Operand>> {
    let classify = |text: &String| {
        if args.codes { Ok(Operand::classify_code(text)) } else { Operand::classify(text) }
    };
    args.inputs.iter().map(classify).collect()
}

fn emit_kind(args: &Args, common: &Common) -> anyhow::Result<Emit> {
    let Some(name) = common.emit(args.emit.as_deref())? else { return Ok(Emit::Table) };
    EMITS.iter().find(|row| row.name == name).map(|row| row.emit).ok_or_else(|| {
        let names: Vec<_> = EMITS.iter().map(|row| row.name).collect();
        failure::unknown("emit", name, &names)
    })
}

/// Refuses an output kind that cannot hold the answers.
fn check_emit(config: &Config, emit: Emit) -> anyhow::Result<()> {
    /// Bits of the widest integer of C.
    const C_WIDTH: u32 = 64;
    let name = emit.row().name;
    if emit.row().one_target && config.targets.len() != 1 {
        return Err(usage(format!("--emit {name} writes one format: give one --to")));
    }
    if !emit.row().scales
        && let Some(scaled) = config.targets.iter().find(|target| !target.is_plain())
    {
        return Err(usage(format!("--emit {name} has no place for the scales of '{scaled}'")));
    }
    if emit == Emit::C && config.targets[0].format.width() > C_WIDTH {
        return Err(usage(format!("--emit c writes integers of at most {C_WIDTH} bits")));
    }
    if emit == Emit::Testfloat && config.from.is_none() {
        return Err(usage(
            "--emit testfloat needs --from FORMAT, which exhaustive:F and edges:F imply",
        ));
    }
    Ok(())
}

fn config(args: &Args, operands: &[Operand], out: &mut Output) -> anyhow::Result<Config> {
    let from = from(args, operands, out)?;
    let targets = if args.to.is_empty() {
        let sixteen = |format: &Format| format == &F16 || format == &BF16;
        let default: &[&Format] =
            if from.as_ref().is_some_and(sixteen) { &[&F32] } else { &[&F16, &BF16] };
        default.iter().map(|&format| Spec::plain(format.clone())).collect()
    } else {
        options::specs(&args.to, out)?
    };
    let config = Config {
        from,
        targets,
        projection: args.rounding.projection()?,
        seed: args.rounding.seed,
        codes: args.codes,
    };
    config.check().map_err(|error: ConfigError| usage(error))?;
    Ok(config)
}

/// Returns --from, or what the test vectors among the inputs imply.
fn from(args: &Args, operands: &[Operand], out: &mut Output) -> anyhow::Result<Option<Format>> {
    let mut from = match &args.from {
        Some(name) => Some(options::plain_format(name, "--from", out)?),
        None => None,
    };
    for operand in operands {
        if let Operand::Exhaustive(name) | Operand::Edges(name) = operand {
            let format = options::plain_format(name, "test vectors", out)?;
            match &from {
                Some(from) if *from != format => {
                    return Err(usage(format!(
                        "the codes of {format} are not codes of {from}: --from and the inputs must agree"
                    )));
                }
                _ => from = Some(format),
            }
        }
    }
    Ok(from)
}

/// Reads the numbers and opens the streams, before anything is written.
fn sources<'a>(
    converter: &'a Converter<'a>,
    operands: &'a [Operand],
) -> anyhow::Result<Vec<Source<'a>>> {
    let config = converter.config();
    operands
        .iter()
        .map(|operand| match (operand, &config.from) {
            (Operand::Number(text), _) => converter.read(text).map(Source::Number).map_err(usage),
            (Operand::StandardInput, _) => Ok(Source::Lines(Box::new(standard_input()))),
            (Operand::Exhaustive(_), Some(from)) => {
                codes(&Vectors::Exhaustive(from.clone()), from, config)
            }
            (Operand::Edges(_), Some(from)) => codes(&Vectors::Edges(from.clone()), from, config),
            (Operand::Exhaustive(_) | Operand::Edges(_) | Operand::Path(_), _) => {
                Err(usage(format!("{operand} has no numbers")))
            }
        })
        .collect()
}

fn codes<'a>(vectors: &Vectors, from: &'a Format, config: &Config) -> anyhow::Result<Source<'a>> {
    let codes = vectors.codes(&config.targets).map_err(usage)?;
    Ok(Source::Codes(from, codes))
}

fn standard_input() -> impl io::BufRead {
    io::BufReader::with_capacity(1 << 16, io::stdin().lock())
}

fn number<'a>(source: &Source<'a>) -> Option<Input<'a>> {
    match source {
        Source::Number(input) => Some(*input),
        Source::Lines(_) | Source::Codes(..) => None,
    }
}

/// Writes answers as inputs come, in constant memory.
fn stream<'a>(
    converter: &'a Converter<'a>,
    emit: Emit,
    sources: Vec<Source<'a>>,
    out: &mut Output,
) -> anyhow::Result<()> {
    let columns = answer::columns();
    let mut writer = Writer::new(converter.config(), emit, &columns);
    let streamed =
        stream::run(converter, &mut writer, sources, out.writer()).map_err(stream_failure)?;
    if let (1.., Some(from)) = (streamed.held_differs, &converter.config().from) {
        out.note(&format!(
            "double rounding: {} of {} answers differ because the input is held in {from} first",
            streamed.held_differs, streamed.answers
        ));
    }
    Ok(())
}

/// Writes all inputs as one tensor.
fn tensor(
    converter: &Converter,
    emit: Emit,
    sources: Vec<Source>,
    out: &mut Output,
) -> anyhow::Result<Outcome> {
    let texts = Texts::read(sources).map_err(stream_failure)?;
    let inputs = texts.inputs(converter).map_err(stream_failure)?;
    let tensor = Tensor::new(converter, &texts, &inputs).map_err(stream_failure)?;
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    out.text(&tensor.render(emit, screen))?;
    Ok(Outcome::Done)
}

/// Compares expected codes with answers.
fn check(
    config: &Config,
    emit: Emit,
    operands: &[Operand],
    out: &mut Output,
) -> anyhow::Result<Outcome> {
    if operands != [Operand::StandardInput] || config.targets.len() != 1 {
        return Err(usage(
            "--check reads lines of `input expected [flags]` from '-' and takes one --to",
        ));
    }
    if let Some(scaled) = config.targets.iter().find(|target| !target.is_plain()) {
        return Err(usage(format!("--check takes an unscaled format, found '{scaled}'")));
    }
    let columns = Difference::columns();
    let mut encoder = match emit {
        Emit::Table => None,
        Emit::Rows(syntax) => Some(Encoder::new(syntax, &columns)),
        Emit::Bits | Emit::Hex | Emit::Values | Emit::Testfloat | Emit::Readmemh | Emit::C => {
            return Err(usage(format!(
                "--check lists differences: --emit {} is for answers",
                emit.row().name
            )));
        }
    };
    let converter = Converter::new(config);
    let open = encoder.as_ref().map(|e| e.open("convert", &emit::options(config)));
    out.text(&open.unwrap_or_default())?;
    let checked = check::run(&converter, standard_input(), |difference| match &mut encoder {
        Some(encoder) => out.text(&encoder.row(&difference.cells())),
        None => out.text(&format!("{difference}\n")),
    });
    if let Some(encoder) = &encoder {
        out.text(&encoder.close())?;
    }
    let checked = checked.map_err(check_failure)?;
    if emit == Emit::Table {
        out.text(&format!("{checked}\n"))?;
    } else {
        out.summary(&checked.to_string());
    }
    Ok(if checked.differences == 0 { Outcome::Done } else { Outcome::CheckFailed })
}

fn check_failure(error: CheckError) -> anyhow::Error {
    match error {
        CheckError::Stream(error) => stream_failure(error),
        CheckError::Words { .. } | CheckError::Expected { .. } => data(error),
    }
}

fn stream_failure(error: StreamError) -> anyhow::Error {
    match error {
        StreamError::Write(error) => error.into(),
        StreamError::Read(ref cause) => failure::io("standard input", cause),
        StreamError::Argument(error) => usage(error),
        StreamError::Input { .. } | StreamError::TooLong(_) | StreamError::Binary(_) => data(error),
    }
}
