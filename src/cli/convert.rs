//! `fpx convert`: arguments become a configuration, answers go to standard output.

use std::io;

use fpx::{
    block::spec::Spec,
    convert::{
        emit::{self, EMITS, Emit, Writer},
        numbers::{Answer, Config, ConfigError, Converter, Input},
        stream::{self, StreamError, Streamed},
        vectors::{Vectors, VectorsError},
    },
    format::{BF16, F16, F32, Format},
    report::{Block, Report, Screen, Syntax, Table, answer},
    text::render,
};

use super::{
    Outcome,
    failure::{data, usage},
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
  fpx convert exhaustive:f16 --to e4m3fn --emit testfloat | fpx convert - --codes --from f16 --to e4m3fn --check")]
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
    rounding: RoundingArgs,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let operands = operands(args)?;
    let config = config(args, &operands, out)?;
    if args.check {
        return check(&config, &operands, out);
    }
    let emit = emit_kind(args, common)?;
    if emit.row().one_target && config.targets.len() != 1 {
        return Err(usage(format!("--emit {} writes one format: give one --to", emit.row().name)));
    }
    if emit == Emit::Testfloat && config.from.is_none() {
        return Err(usage(
            "--emit testfloat needs --from FORMAT, which exhaustive:F and edges:F imply",
        ));
    }
    let numbers: Option<Vec<&str>> = operands.iter().map(number).collect();
    match numbers {
        Some(numbers) if emit == Emit::Table => table(&config, &numbers, out)?,
        _ => stream(&config, emit, &operands, out)?,
    }
    Ok(Outcome::Done)
}

fn number(operand: &Operand) -> Option<&str> {
    match operand {
        Operand::Number(text) => Some(text),
        Operand::StandardInput | Operand::Exhaustive(_) | Operand::Edges(_) | Operand::Path(_) => {
            None
        }
    }
}

/// Classifies the inputs; with --codes, whatever is no stream is a code.
fn operands(args: &Args) -> anyhow::Result<Vec<Operand>> {
    args.inputs
        .iter()
        .map(|text| {
            let is_stream = text == "-" || text.contains(':');
            if args.codes && !is_stream {
                Ok(Operand::Number(text.clone()))
            } else {
                Operand::classify(text)
            }
        })
        .collect()
}

fn emit_kind(args: &Args, common: &Common) -> anyhow::Result<Emit> {
    let Some(name) = &args.emit else {
        return Ok(if common.json { Emit::Rows(Syntax::Json) } else { Emit::Table });
    };
    EMITS.iter().find(|row| row.name == name).map(|row| row.emit).ok_or_else(|| {
        let names: Vec<_> = EMITS.iter().map(|row| row.name).collect();
        usage(format!("unknown --emit '{name}', expected {}", names.join(", ")))
    })
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

/// Prints the answers to a few numbers as one table.
fn table(config: &Config, numbers: &[&str], out: &mut Output) -> anyhow::Result<()> {
    let converter = Converter::new(config);
    let mut table = Table::new(answer::columns());
    let mut remarks = Vec::new();
    for (position, text) in (0..).zip(numbers) {
        let input = converter.read(text).map_err(usage)?;
        for target in 0..config.targets.len() {
            let answer = converter.answer(&input, target, position).map_err(usage)?;
            table.push(emit::cells(config, &input, target, &answer));
            remarks.extend(remark(config, &input, target, &answer));
        }
    }
    let modes = format!("rounded once, {}", config.projection);
    let title = match numbers {
        [number] => {
            table.columns[0].place = fpx::report::Place::Data;
            format!("{number}   {}{modes}", held_in(config))
        }
        _ => format!("{}{modes}", held_in(config)),
    };
    let mut report = Report::new("convert", table)
        .with(Block::line(title))
        .with(Block::blank())
        .with(Block::Rows);
    for remark in remarks {
        report = report.with(Block::line(remark));
    }
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    out.text(&report.render(fpx::report::Emit::Table, screen))?;
    Ok(())
}

fn held_in(config: &Config) -> String {
    config.from.as_ref().map_or_else(String::new, |from| format!("from {from}; "))
}

/// Says that holding the input in --from changed the answer.
fn remark(config: &Config, input: &Input, target: usize, answer: &Answer) -> Option<String> {
    let once = answer.without_holding?;
    let spec = &config.targets[target];
    let from = config.from.as_ref()?;
    Some(format!(
        "double rounding: {} held in {from} first gives {spec} 0x{}; rounded once it is 0x{}",
        input.text,
        render::hex(&spec.format, answer.code),
        render::hex(&spec.format, once),
    ))
}

/// Writes answers as inputs come, in constant memory.
fn stream(
    config: &Config,
    emit: Emit,
    operands: &[Operand],
    out: &mut Output,
) -> anyhow::Result<()> {
    let columns = answer::columns();
    let converter = Converter::new(config);
    let mut writer = Writer::new(config, emit, &columns);
    writer.open(out.writer())?;
    let mut position = 0;
    let mut total = Streamed::default();
    let done = operands.iter().try_for_each(|operand| {
        let streamed = one_operand(&converter, &mut writer, operand, out.writer(), &mut position)?;
        total.answers += streamed.answers;
        total.held_differs += streamed.held_differs;
        Ok(())
    });
    writer.close(out.writer())?;
    if let (true, Some(from)) = (total.held_differs > 0, &config.from) {
        out.note(&format!(
            "double rounding: {} of {} answers differ because the input is held in {from} first",
            total.held_differs, total.answers
        ));
    }
    done
}

fn one_operand(
    converter: &Converter,
    writer: &mut Writer,
    operand: &Operand,
    out: &mut dyn io::Write,
    position: &mut u64,
) -> anyhow::Result<Streamed> {
    let mut streamed = Streamed::default();
    let mut answer_all = |input: &Input, out: &mut dyn io::Write| -> anyhow::Result<()> {
        for target in 0..converter.config().targets.len() {
            let answer = converter.answer(input, target, *position).map_err(usage)?;
            streamed.answers += 1;
            streamed.held_differs += u64::from(answer.without_holding.is_some());
            writer.answer(out, input, target, &answer)?;
        }
        *position += 1;
        Ok(())
    };
    match operand {
        Operand::Number(text) => answer_all(&converter.read(text).map_err(usage)?, out)?,
        Operand::StandardInput => {
            let standard_input = io::BufReader::with_capacity(1 << 16, io::stdin().lock());
            return stream::run(converter, writer, standard_input, out, position)
                .map_err(stream_failure);
        }
        Operand::Exhaustive(_) | Operand::Edges(_) => {
            let vectors = vectors(converter, operand)?;
            let targets: Vec<_> =
                converter.config().targets.iter().map(|s| s.format.clone()).collect();
            vectors
                .for_each(&targets, |code| {
                    let text = render::hex(vectors.format(), code);
                    answer_all(&converter.held(&text, vectors.format(), code), out)
                        .map_err(VisitError::Answer)
                })
                .map_err(VisitError::into_inner)?;
        }
        Operand::Path(path) => {
            return Err(usage(format!(
                "'{}' is a file; numbers and files do not mix",
                path.display()
            )));
        }
    }
    Ok(streamed)
}

/// Either end of a visit to test vectors.
enum VisitError {
    Vectors(VectorsError),
    Answer(anyhow::Error),
}

impl From<VectorsError> for VisitError {
    fn from(error: VectorsError) -> Self {
        Self::Vectors(error)
    }
}

impl VisitError {
    fn into_inner(self) -> anyhow::Error {
        match self {
            Self::Vectors(error) => usage(error),
            Self::Answer(error) => error,
        }
    }
}

fn vectors(converter: &Converter, operand: &Operand) -> anyhow::Result<Vectors> {
    let from =
        converter.config().from.clone().ok_or_else(|| usage("test vectors need a format"))?;
    Ok(match operand {
        Operand::Edges(_) => Vectors::Edges(from),
        Operand::Number(_) | Operand::StandardInput | Operand::Exhaustive(_) | Operand::Path(_) => {
            Vectors::Exhaustive(from)
        }
    })
}

/// Compares expected codes with answers.
fn check(config: &Config, operands: &[Operand], out: &mut Output) -> anyhow::Result<Outcome> {
    if operands != [Operand::StandardInput] || config.targets.len() != 1 {
        return Err(usage(
            "--check reads lines of `input expected [flags]` from '-' and takes one --to",
        ));
    }
    let converter = Converter::new(config);
    let checked =
        stream::check(&converter, io::stdin().lock(), out.writer()).map_err(stream_failure)?;
    let of = format!("in {} lines", checked.lines);
    if checked.differences == 0 {
        out.text(&format!("no difference {of}\n"))?;
        return Ok(Outcome::Done);
    }
    out.text(&format!("{} differences {of}\n", checked.differences))?;
    Ok(Outcome::CheckFailed)
}

fn stream_failure(error: StreamError) -> anyhow::Error {
    match error {
        StreamError::Write(error) => error.into(),
        StreamError::Read(ref cause) => super::failure::io("standard input", cause),
        StreamError::Input { .. }
        | StreamError::TooLong(_)
        | StreamError::Binary(_)
        | StreamError::CheckLine(_)
        | StreamError::Expected { .. } => data(error),
    }
}
