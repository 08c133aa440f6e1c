//! `fpx inspect`: the bits of numbers, and the tensors of files, on standard output.

use std::path::Path;

use fpx::{
    container::{self, ContainerError, Hints, checkpoint},
    inspect::{
        file::{self, FileError, Files, Focus},
        numbers::{self, Config, Formats, InspectError},
    },
    report::{Emit, Screen},
};

use super::{
    Outcome, convert_files,
    failure::usage,
    operand::Operand,
    options::{self, Common, RoundingArgs},
    output::Output,
    save,
};

/// Show the bits of a number, or the tensors of a file
///
/// A number is shown in five formats, a bit pattern in the common formats of its width. With one
/// --format everything about it is shown: fields, exact value, neighbours, the reals that round to it.
/// With several, a pattern is a code of the first and the others show its value.
///
/// A file or a checkpoint folder is a list of tensors with element types, shapes, bytes and scales, and
/// of what in its header breaks the specification (then the exit code is 3). Only headers are read,
/// and the elements asked for: --tensor w --index 3,-1 shows the bits of one, and what it is under its
/// scale; --tensor w --block-index 7 shows a scale and its elements.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fpx inspect 0.1
  fpx inspect 0x3dcd --format bf16
  fpx inspect 0.1 --format e4m3fn --explain")]
pub(crate) struct Args {
    /// Numbers, bit patterns, or a file or folder
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
    files: FileArgs,
    #[command(flatten)]
    rounding: RoundingArgs,
}

/// Options of files.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Files")]
struct FileArgs {
    /// The tensor whose elements are shown; not needed if there is one only
    #[arg(long, value_name = "NAME")]
    tensor: Option<String>,
    /// An element; negative numbers count from the end (repeatable) [default: the first 16]
    #[arg(long, value_name = "I,J,..", allow_hyphen_values = true)]
    index: Vec<String>,
    /// The elements of the K-th scale of a tensor, and the scale
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    block_index: Option<i64>,
    /// What raw elements are, and what the numbers of a text are rounded to first
    #[arg(long, value_name = "FORMAT", hide_short_help = true)]
    from: Option<String>,
    /// What the file is: safetensors npy npz gguf text csv raw [default: by extension, then by content]
    #[arg(long, value_name = "KIND", hide_short_help = true)]
    input_kind: Option<String>,
    /// What an .npy's void or unsigned elements are
    #[arg(long, value_name = "FORMAT", hide_short_help = true)]
    dtype: Option<String>,
    /// 6- and 4-bit codes in raw files: dense, or byte for one a byte [default: dense]
    #[arg(long, value_name = "HOW", hide_short_help = true)]
    packing: Option<String>,
}

impl FileArgs {
    /// Returns an option that says nothing about numbers, if one is given.
    fn given(&self) -> Option<&'static str> {
        [
            ("--tensor", self.tensor.is_some()),
            ("--index", !self.index.is_empty()),
            ("--block-index", self.block_index.is_some()),
            ("--from", self.from.is_some()),
            ("--input-kind", self.input_kind.is_some()),
            ("--dtype", self.dtype.is_some()),
            ("--packing", self.packing.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }

    fn focus(&self) -> anyhow::Result<Focus> {
        if !self.index.is_empty() && self.block_index.is_some() {
            return Err(usage("--index and --block-index are two ways to name elements: give one"));
        }
        let indices = self.index.iter().map(|text| index(text)).collect::<anyhow::Result<_>>()?;
        Ok(Focus { tensor: self.tensor.clone(), indices, block: self.block_index })
    }

    fn hints(&self, out: &mut Output) -> anyhow::Result<Hints> {
        let mut format = |option: &str, name: &Option<String>| {
            name.as_deref().map(|name| options::plain_format(name, option, out)).transpose()
        };
        let (from, dtype) = (format("--from", &self.from)?, format("--dtype", &self.dtype)?);
        Ok(Hints { from, dtype, packing: convert_files::packing(self.packing.as_deref())? })
    }
}

/// Reads the index of an element; that of a scalar is empty.
fn index(text: &str) -> anyhow::Result<Vec<i64>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let number = |number: &str| {
        number.trim().parse().map_err(|_| {
            usage(format!("--index '{text}': expected whole numbers separated by commas"))
        })
    };
    text.split(',').map(number).collect()
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let mut inputs = Vec::new();
    let mut path = None;
    for text in &args.inputs {
        match Operand::classify(text)? {
            Operand::Number(number) => inputs.push(number),
            other @ (Operand::StandardInput | Operand::Exhaustive(_) | Operand::Edges(_)) => {
                return Err(usage(format!("inspect shows numbers and files, found {other}")));
            }
            Operand::Path(file) => {
                if path.replace(file).is_some() {
                    return Err(usage("inspect shows one file at a time"));
                }
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
    let emit = emit(args.emit.as_deref(), common)?;
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    let Some(path) = path else {
        if let Some(option) = args.files.given() {
            return Err(usage(format!("{option} is for files, and the input is numbers")));
        }
        let report = numbers::run(&config).map_err(|error: InspectError| usage(error))?;
        out.text(&report.render(emit, screen))?;
        return Ok(Outcome::Done);
    };
    if !config.inputs.is_empty() {
        let name = Operand::Path(path);
        return Err(usage(format!("{name} is a file; numbers and files do not mix")));
    }
    if config.explain {
        return Err(usage("--explain is for numbers, and the input is a file"));
    }
    let files = open(&path, &args.files, out)?;
    let found = file::run(&files, &args.files.focus()?, &config).map_err(|error| match error {
        FileError::Container(error) => save::classify(error),
        FileError::Number(error) => usage(error),
    })?;
    out.text(&found.report.render(emit, screen))?;
    match found.fault {
        None => Ok(Outcome::Done),
        Some(fault) => {
            out.flush()?;
            Err(save::classify(fault))
        }
    }
}

/// Opens a file or a folder, whole or not.
fn open(path: &Path, args: &FileArgs, out: &mut Output) -> anyhow::Result<Files> {
    let hints = args.hints(out)?;
    let kind = convert_files::kind("input-kind", args.input_kind.as_deref())?;
    if path.is_dir() {
        let is_told = hints != Hints::default() || kind.is_some();
        if let Some(option) = args.given().filter(|_| is_told) {
            let what = format!("{option} does not go with a folder, which holds safetensors");
            return Err(save::classify(ContainerError::usage(path, what)));
        }
        let folder = checkpoint::survey_folder(path).map_err(save::classify)?;
        return Ok(Files::folder(folder));
    }
    let source = container::open(path, kind, &hints).map_err(save::classify)?;
    convert_files::check_hints(&hints, &source).map_err(save::classify)?;
    Ok(Files::file(source))
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
