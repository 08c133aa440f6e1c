//! `fpx error-sweep`: what formats cost, on standard output.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use fpx::{
    container::{self, Hints, Shard, checkpoint, output::Interrupt},
    report::{Emit, Screen, svg},
    sweep::{
        self, Answer, Condition, Config, Files, Input, Measurement, Progress, Recommendation,
        Scales, SweepError, View,
    },
};
use glob::Pattern;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    Outcome,
    failure::{self, data, io, usage},
    inspect,
    options::{self, Common, RoundingArgs},
    output::{Output, interrupted},
    save::{self, Destination},
};

/// Measure what formats cost: error, overflow and flushing to zero
///
/// Samples of a distribution are rounded to each format, or every code of a format is; without an
/// option, a million standard normal samples to four formats. An error is the rounded number less the
/// exact one; an ulp is the quantum of the exact number in the format (its least subnormal below the
/// normal range); sqnr is 10 log10 of the inputs' squares over the errors'. The same seed gives the same
/// bytes on any number of threads, and shards add up with --merge.
///
/// With --against the numbers of INPUT are the exact ones and those of the other file the results,
/// tensor by tensor and with scales applied: an ulp is then the quantum of INPUT's number in the format
/// of the other file's tensor, under its scale.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fpx error-sweep
  fpx error-sweep --dist lognormal:0,2 --scale -40..40 --plot sweep.svg
  fpx error-sweep --dist exhaustive:f16 --formats e4m3fn/rtz --limit 'max_ulp<1'")]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Formats, scaled or not [default: f16,bf16,e4m3fn,e5m2; of files bf16,f16,e4m3fn,e4m3fn/tensor,mxfp8,mxfp4,nvfp4]
    #[arg(long, short = 't', value_name = "FORMAT[,..]", value_delimiter = ',', visible_aliases = ["format", "to"])]
    formats: Vec<String>,
    /// Multiply inputs by 2^LO .. 2^HI, each in turn
    #[arg(long, value_name = "LO..HI[:STEP]", allow_hyphen_values = true)]
    scale: Option<String>,
    #[command(flatten)]
    checks: CheckArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    rounding: RoundingArgs,
}

/// What is measured.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Source")]
struct SourceArgs {
    /// A tensor file or a checkpoint folder
    #[arg(value_name = "INPUT", conflicts_with_all = ["dist", "samples", "merge"])]
    input: Option<PathBuf>,
    /// Compare with another file or folder, tensor by tensor
    #[arg(long, value_name = "FILE", requires = "input", conflicts_with_all = ["formats", "scale", "shard", "recommend", "histogram", "plot", "by", "RoundingArgs"])]
    against: Option<PathBuf>,
    /// Measure only the tensors with such names
    #[arg(long, hide_short_help = true, value_name = "GLOB", value_delimiter = ',')]
    include: Vec<String>,
    /// Leave out the tensors with such names
    #[arg(long, hide_short_help = true, value_name = "GLOB", value_delimiter = ',')]
    exclude: Vec<String>,
    /// What raw elements are, and what the numbers of a text are rounded to first
    #[arg(long, hide_short_help = true, value_name = "FORMAT", requires = "input")]
    from: Option<String>,
    /// What the elements of an .npy are that NumPy has no name for
    #[arg(long, hide_short_help = true, value_name = "FORMAT", requires = "input")]
    dtype: Option<String>,
    /// Take FP8 and FP4 weights without a scale as plain numbers
    #[arg(long, hide_short_help = true)]
    allow_unscaled: bool,
    /// normal:MEAN,SD uniform:LO,HI loguniform:LO2,HI2 lognormal:MU,SIGMA laplace:MU,B exponential:RATE student-t:NU cauchy:X0,GAMMA exhaustive:FORMAT [default: normal:0,1]
    #[arg(long, value_name = "NAME[:PARAMS]", allow_hyphen_values = true)]
    dist: Option<String>,
    /// Samples: 1M, 10k, 2^24 [default: 1M]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    samples: Option<String>,
    /// Measure only share i of n; --merge adds the shares up
    #[arg(long, hide_short_help = true, value_name = "i/n")]
    shard: Option<String>,
    /// Add up the JSON of several runs, in any order
    #[arg(long, hide_short_help = true, value_name = "FILE.json", num_args = 1.., conflicts_with_all = ["dist", "samples", "shard", "formats", "scale", "RoundingArgs"])]
    merge: Vec<PathBuf>,
}

/// What the measurement must meet.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Checks")]
struct CheckArgs {
    /// Exit with 1 where a row fails, such as `max_ulp<=1,sqnr_db>=30`
    #[arg(long, value_name = "CONDITION[,..]")]
    limit: Option<String>,
    /// Name the cheapest format that meets a condition, such as `bits<=4.5` [default: `sqnr_db>=30`]
    ///
    /// Without --formats, scaled formats and block formats under every scale rule are candidates. Under a
    /// scale the largest elements may be clipped, which the sqnr includes; a plain format that overflowed
    /// is never named.
    #[arg(long, value_name = "CONDITION[,..]", num_args = 0..=1, require_equals = true, default_missing_value = Recommendation::USUAL)]
    recommend: Option<String>,
}

/// What is shown.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
struct OutputArgs {
    /// total, or tensor: a row a tensor and a column a format
    #[arg(long, value_name = "total|tensor", default_value = "total", value_parser = ["total", "tensor"])]
    by: String,
    /// Show every tensor
    #[arg(long, hide_short_help = true)]
    all: bool,
    /// Columns of the table, or 'all'; JSON and CSV carry all
    #[arg(long, hide_short_help = true, value_name = "NAME[,..]", value_delimiter = ',')]
    columns: Vec<String>,
    /// Sort rows by a column, the worst first
    #[arg(long, hide_short_help = true, value_name = "COLUMN")]
    sort: Option<String>,
    /// Show inputs and errors by size
    #[arg(long)]
    histogram: bool,
    /// Draw the sweep, or without --scale the histograms
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long, hide_short_help = true)]
    force: bool,
    /// table json jsonl csv markdown [default: table]
    #[arg(long, value_name = "KIND")]
    emit: Option<String>,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let emit = inspect::emit(args.output.emit.as_deref(), common)?;
    let view = view(args)?;
    let interrupt = Interrupt::default();
    let at_interrupt = interrupt.clone();
    // Only the first call of a process can set the handler, and this is the first.
    let _ = ctrlc::set_handler(move || at_interrupt.abandon(|| interrupted()));
    if let (Some(first), Some(second)) = (&args.source.input, &args.source.against) {
        let files = [files(first, &args.source, out)?, files(second, &args.source, out)?];
        let bar = Bar::new(out.is_quiet());
        let comparison = sweep::compare([&files[0], &files[1]], &bar).map_err(classify)?;
        let answer = sweep::present_comparison(&comparison, &view).map_err(usage)?;
        return show(&answer, emit, out);
    }
    let plot = args.output.plot.as_deref();
    let plot = plot.map(|path| Destination::new(path, args.output.force)).transpose()?;
    let measurement = if args.source.merge.is_empty() {
        let config = config(args, out)?;
        let bar = Bar::new(out.is_quiet());
        sweep::run(&config, &bar).map_err(classify)?
    } else {
        merge(&args.source.merge)?
    };
    let answer = sweep::present(&measurement, &view).map_err(usage)?;
    let outcome = show(&answer, emit, out)?;
    if let Some(plot) = plot {
        plot.write(&svg::document(&answer.charts), &interrupt)?;
    }
    Ok(outcome)
}

/// Prints an answer and names the limits that it fails.
fn show(answer: &Answer, emit: Emit, out: &mut Output) -> anyhow::Result<Outcome> {
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    out.text(&answer.report.render(emit, screen))?;
    for failure in &answer.failures {
        out.warning(failure);
    }
    Ok(if answer.failures.is_empty() { Outcome::Done } else { Outcome::CheckFailed })
}

fn view(args: &Args) -> anyhow::Result<View> {
    let recommend = args.checks.recommend.as_deref().map(Recommendation::from_str);
    Ok(View {
        columns: args.output.columns.clone(),
        sort: args.output.sort.clone(),
        all: args.output.all,
        limits: args
            .checks
            .limit
            .as_deref()
            .map_or(Ok(Vec::new()), Condition::list)
            .map_err(usage)?,
        recommend: recommend.transpose().map_err(usage)?,
        histograms: args.output.histogram,
    })
}

/// Returns what the arguments describe.
fn config(args: &Args, out: &mut Output) -> anyhow::Result<Config> {
    let default = Config::default();
    let targets = match args.formats.as_slice() {
        [] if args.checks.recommend.is_some() => sweep::candidates(),
        [] if args.source.input.is_some() => sweep::file_targets(),
        [] => default.targets,
        names => options::specs(names, out)?,
    };
    let scales = args.scale.as_deref().map_or(Ok(Scales::NONE), str::parse).map_err(usage)?;
    let shard = args.source.shard.as_deref().map_or(Ok(Shard::WHOLE), str::parse);
    Ok(Config {
        input: input(&args.source, out)?,
        targets,
        projection: args.rounding.projection()?,
        seed: args.rounding.seed,
        scales,
        by_tensor: args.output.by == "tensor",
        histograms: args.output.histogram || (args.output.plot.is_some() && !scales.is_sweep()),
        shard: shard.map_err(usage)?,
    })
}

fn input(args: &SourceArgs, out: &mut Output) -> anyhow::Result<Input> {
    if let Some(path) = &args.input {
        return Ok(Input::Files(files(path, args, out)?));
    }
    let exhaustive = args.dist.as_deref().and_then(|name| name.strip_prefix("exhaustive:"));
    match (exhaustive, &args.samples) {
        (Some(_), Some(_)) => {
            Err(usage("--samples does not go with exhaustive: every code is tried"))
        }
        (Some(name), None) => {
            Ok(Input::Exhaustive(options::plain_format(name, "--dist exhaustive:", out)?))
        }
        (None, samples) => Ok(Input::Samples {
            distribution: args.dist.as_deref().unwrap_or("normal").parse().map_err(usage)?,
            samples: samples.as_deref().map_or(Ok(1_000_000), sweep::samples).map_err(usage)?,
        }),
    }
}

/// Opens a file or a folder.
fn files(path: &Path, args: &SourceArgs, out: &mut Output) -> anyhow::Result<Files> {
    let name = path.to_string_lossy().into_owned();
    let mut format = |name: &Option<String>, option: &str| {
        name.as_ref().map(|name| options::plain_format(name, option, out)).transpose()
    };
    let (from, dtype) = (format(&args.from, "--from")?, format(&args.dtype, "--dtype")?);
    let hints = Hints { from: from.clone(), dtype, ..Hints::default() };
    if !path.exists() {
        return Err(failure::missing(&name));
    }
    let parts = if path.is_dir() {
        checkpoint::open_folder(path).map_err(save::classify)?.shards
    } else {
        vec![container::open(path, None, &hints).map_err(save::classify)?]
    };
    let parts = parts.into_iter().map(|part| part.sound().map_err(save::classify));
    let globs = |globs: &[String]| {
        let glob = |text: &String| {
            Pattern::new(text).map_err(|error| usage(format!("glob '{text}': {}", error.msg)))
        };
        globs.iter().map(glob).collect::<anyhow::Result<Vec<_>>>()
    };
    Ok(Files {
        name,
        parts: parts.collect::<anyhow::Result<_>>()?,
        from,
        allow_unscaled: args.allow_unscaled,
        include: globs(&args.include)?,
        exclude: globs(&args.exclude)?,
    })
}

/// Gives an error its exit code.
fn classify(error: SweepError) -> anyhow::Error {
    match error {
        SweepError::Container(error) => save::classify(error),
        SweepError::NoTensor(_) => data(error),
        SweepError::Scale(_)
        | SweepError::Block(_)
        | SweepError::Endless
        | SweepError::Samples(_)
        | SweepError::NoTarget
        | SweepError::TooWideTarget { .. }
        | SweepError::TooWideSource(_) => usage(error),
    }
}

/// Adds up the reports in some files.
fn merge(paths: &[PathBuf]) -> anyhow::Result<Measurement> {
    let read = |path: &PathBuf| {
        let name = container::show(path);
        let text = fs::read_to_string(path).map_err(|error| io(&name, &error))?;
        Measurement::from_json(&text).map_err(|error| data(format!("{name}: {error}")))
    };
    let runs = paths.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    Measurement::merge(runs).map_err(data)
}

/// A bar on standard error that appears only if a run takes long.
struct Bar {
    drawn: ProgressBar,
    begun: Instant,
    hidden: AtomicBool,
    quiet: bool,
}

/// How long a run may take before it says how far it is.
const PATIENCE: Duration = Duration::from_millis(500);

impl Bar {
    fn new(quiet: bool) -> Self {
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} elements, {eta} left");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { drawn: bar, begun: Instant::now(), hidden: AtomicBool::new(true), quiet }
    }
}

impl Progress for Bar {
    fn start(&self, elements: u64) {
        self.drawn.set_length(elements);
    }

    fn advance(&self, elements: u64) {
        self.drawn.inc(elements);
        let is_late = !self.quiet && self.begun.elapsed() > PATIENCE;
        if is_late && self.hidden.swap(false, Ordering::Relaxed) {
            self.drawn.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}
