//! `fpx train-demo`: arguments become an experiment, its report goes to standard output.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use fpx::{
    container::{
        ContainerError,
        output::{Draft, Interrupt, Target, file_target},
    },
    report::{Block, Emit, Report, Screen, chart, svg},
    train::{
        detail,
        experiment::{self, Config, Entry, ExperimentError, Measured},
        explain, lesson, listing, log,
        optimizer::Rule,
        plot, policy,
        report::report,
        save,
        task::{self, TASKS, Task},
        values::{Choice as _, positive},
    },
};

use super::{
    Outcome, failure,
    failure::usage,
    inspect,
    options::{Common, RoundingArgs},
    output::Output,
    progress::Bars,
};

/// Train small models in mixed precision, and measure what each ingredient does
///
/// Every value is rounded where the policy says so, by the arithmetic of fpx convert. Accuracy is
/// emulated, speed is not. A policy is a row of slots; --set changes one. The embedded digits are UCI's
/// data set 80 (E. Alpaydin and C. Kaynak, CC BY 4.0).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fpx train-demo
  fpx train-demo --lesson loss-scale
  fpx train-demo --policy f32,bf16-pure --set update=sr --epochs 10")]
pub(crate) struct Args {
    /// Policies, 'all' or 'list' [default: f32,bf16-amp,f16-amp,f16-naive,bf16-pure,f16-pure]
    #[arg(long, value_name = "NAME[,..]", value_delimiter = ',')]
    policy: Vec<String>,
    /// digits autoencoder char-lm mnist, or 'list' [default: digits]
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// A folder of IDX images and labels (mnist) or a text (char-lm)
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Rows that show one thing, or 'list'; one seed by default
    #[arg(long, value_name = "NAME", conflicts_with_all = ["policy", "task"])]
    lesson: Option<String>,
    /// Change a slot of every policy; repeatable
    #[arg(long, value_name = "SLOT=VALUE")]
    set: Vec<String>,
    /// none static:K dynamic[:INIT[,INTERVAL]], short for that --set
    #[arg(long, value_name = "SCALE")]
    loss_scale: Option<String>,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Runs of each policy, with the seeds N, N+1, .. [default: 3]
    #[arg(long, value_name = "N", help_heading = "Training")]
    seeds: Option<u64>,
    /// Show what runs in which format, without training
    #[arg(long, help_heading = "Output")]
    explain: bool,
    /// Show gradients by size, and what each role's tensors lost
    #[arg(long, help_heading = "Output")]
    histogram: bool,
    /// Write charts
    #[arg(long, value_name = "FILE.svg", help_heading = "Output")]
    plot: Option<PathBuf>,
    /// Write every step
    #[arg(long, value_name = "FILE.jsonl", help_heading = "Output")]
    log: Option<PathBuf>,
    /// Write the trained models of the first seed
    #[arg(long, value_name = "FILE.safetensors", help_heading = "Output")]
    save: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// table json jsonl csv markdown [default: table]
    #[arg(long, value_name = "KIND", help_heading = "Output")]
    emit: Option<String>,
    #[command(flatten)]
    rounding: RoundingArgs,
}

/// The settings of the training itself.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Training")]
struct RecipeArgs {
    /// Passes over the data
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Examples a step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Learning rate
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    lr: Option<String>,
    /// sgd or adam
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    /// What Adam adds to the square root
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    adam_eps: Option<String>,
    /// Scale gradients down to this norm
    #[arg(long, value_name = "NORM", allow_hyphen_values = true)]
    clip_grad: Option<String>,
}

/// The policies of a run that names none.
const DEFAULT_POLICIES: &str = "f32,bf16-amp,f16-amp,f16-naive,bf16-pure,f16-pure";
/// The seeds of a run that says nothing, and those of a lesson.
const DEFAULT_SEEDS: [u64; 2] = [3, 1];

/// Runs the subcommand.
pub(crate) fn run(args: &Args, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let emit = inspect::emit(args.emit.as_deref(), common)?;
    if let Some(list) = listed(args) {
        return show(&list, emit, out);
    }
    let config = config(args)?;
    if args.explain {
        return show(&explain::report(&config).map_err(classify)?, emit, out);
    }
    let target = |path: &Option<PathBuf>| {
        let target = path.as_ref().map(|path| file_target(path, &[], args.force));
        target.transpose().map_err(|error| classify(error.into()))
    };
    let [plot_to, log_to, save_to] = [target(&args.plot)?, target(&args.log)?, target(&args.save)?];
    let rows = {
        let bars = Bars::new(&config, out.is_quiet());
        experiment::run(&config, &bars).map_err(classify)?
    };
    let lesson = args.lesson.as_deref().and_then(lesson::find);
    let mut report = report(&config, &rows, lesson);
    if args.histogram {
        report.blocks.extend(detail::blocks(&rows));
        report.blocks.extend(histograms(&rows));
    }
    show(&report, emit, out)?;
    write(args.plot.as_deref(), plot_to, || svg::document(&plot::charts(&rows)))?;
    write(args.log.as_deref(), log_to, || log::lines(&config, &rows))?;
    if let (Some(path), Some(target)) = (&args.save, save_to) {
        save::save(&rows, path, target, &Interrupt::default())
            .map_err(|error| classify(error.into()))?;
    }
    Ok(Outcome::Done)
}

/// Returns the list that was asked for.
fn listed(args: &Args) -> Option<Report> {
    let asks = |name: Option<&str>| name == Some("list");
    if args.policy.iter().any(|name| name == "list") {
        Some(listing::policies())
    } else if asks(args.task.as_deref()) {
        Some(listing::tasks())
    } else if asks(args.lesson.as_deref()) {
        Some(listing::lessons())
    } else {
        None
    }
}

fn show(report: &Report, emit: Emit, out: &mut Output) -> anyhow::Result<Outcome> {
    let screen = Screen { width: Output::width(), hints: Output::is_terminal() };
    out.text(&report.render(emit, screen))?;
    Ok(Outcome::Done)
}

fn histograms(rows: &[Measured]) -> Vec<Block> {
    let charts = rows.iter().filter_map(plot::gradients);
    let lines = charts.flat_map(|chart| {
        let mut lines = chart::lines(&chart, Output::width());
        lines.insert(0, Vec::new());
        lines
    });
    lines.map(Block::Line).collect()
}

/// Writes a text file, whole or not at all.
fn write(
    path: Option<&Path>,
    target: Option<Target>,
    text: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    let (Some(path), Some(target)) = (path, target) else { return Ok(()) };
    let text = text();
    let failed = |error| failure::io(format!("'{}'", path.display()), &error);
    match target {
        Target::Stream(mut file) => file.write_all(text.as_bytes()).map_err(failed),
        Target::File(place) => {
            let create = Draft::create(place, Some(text.len() as u64), &Interrupt::default());
            let draft = create.map_err(|error| classify(error.into()))?;
            draft.file().write_all(text.as_bytes()).map_err(failed)?;
            draft.finish().map_err(|error| classify(error.into()))
        }
    }
}

/// Returns the experiment that the arguments describe.
fn config(args: &Args) -> anyhow::Result<Config> {
    let mut entries = match &args.lesson {
        Some(name) => lesson_entries(name)?,
        None => policy_entries(args)?,
    };
    let changes = args.loss_scale.iter().map(|scale| format!("loss_scale={scale}"));
    let changes: Vec<String> = args.set.iter().cloned().chain(changes).collect();
    for entry in &mut entries {
        for change in &changes {
            entry.slots.assign(change).map_err(usage)?;
        }
        entry.slots.general = args.rounding.projection()?;
        args.recipe.apply(entry)?;
    }
    let [usual, of_lessons] = DEFAULT_SEEDS;
    let default = if args.lesson.is_some() { of_lessons } else { usual };
    let seeds = args.seeds.unwrap_or(default);
    let first = args.rounding.seed;
    let seeds = (0..seeds).map(|i| first.wrapping_add(i)).collect();
    Ok(Config { entries, seeds, data: args.data.clone() })
}

fn lesson_entries(name: &str) -> anyhow::Result<Vec<Entry>> {
    let lesson = lesson::find(name).ok_or_else(|| {
        let names: Vec<&str> = lesson::LESSONS.iter().map(|lesson| lesson.name).collect();
        usage(format!("unknown lesson '{name}', expected {} or list", names.join(", ")))
    })?;
    lesson.entries().map_err(usage)
}

fn policy_entries(args: &Args) -> anyhow::Result<Vec<Entry>> {
    let task = task(args)?;
    let is_again = |(i, name): &(usize, &String)| args.policy[..*i].contains(name);
    if let Some((_, name)) = args.policy.iter().enumerate().find(is_again) {
        return Err(usage(format!("--policy names '{name}' twice")));
    }
    let names: Vec<String> = match args.policy.as_slice() {
        [] => DEFAULT_POLICIES.split(',').map(str::to_owned).collect(),
        [all] if all == "all" => policy::all().into_iter().map(|policy| policy.name).collect(),
        names => names.to_vec(),
    };
    let entries = names.iter().map(|name| {
        let policy = policy::find(name).map_err(usage)?;
        let (policy, slots) = (policy.name, policy.slots);
        Ok(Entry { policy, slots, task, recipe: task.recipe, group: 0 })
    });
    entries.collect()
}

/// Returns the task: the one named, else the one that the data are for.
fn task(args: &Args) -> anyhow::Result<&'static Task> {
    match (&args.task, &args.data) {
        (Some(name), _) => task::find(name).ok_or_else(|| {
            let names: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
            usage(format!("unknown task '{name}', expected {} or list", names.join(", ")))
        }),
        (None, None) => Ok(&TASKS[0]),
        (None, Some(path)) => task::for_data(path).map_err(|error| classify(error.into())),
    }
}

impl RecipeArgs {
    /// Changes what was given.
    fn apply(&self, entry: &mut Entry) -> anyhow::Result<()> {
        let recipe = &mut entry.recipe;
        recipe.epochs = self.epochs.unwrap_or(recipe.epochs);
        recipe.batch = self.batch.unwrap_or(recipe.batch);
        if let Some(text) = &self.lr {
            recipe.learning_rate = number("--lr", text)?;
        }
        if let Some(text) = &self.clip_grad {
            recipe.clip = Some(number("--clip-grad", text)?);
        }
        if let Some(name) = &self.optimizer {
            let unknown = |reason| usage(format!("unknown --optimizer '{name}', {reason}"));
            recipe.rule = Rule::read(name).map_err(unknown)?;
        }
        if let Some(text) = &self.adam_eps {
            let wrong = |reason| usage(format!("--adam-eps {text}: {reason}"));
            if recipe.rule == Rule::Sgd {
                return Err(usage("--adam-eps needs --optimizer adam"));
            }
            recipe.rule = Rule::Adam { epsilon: f32::read(text).map_err(wrong)? };
        }
        Ok(())
    }
}

fn number(option: &str, text: &str) -> anyhow::Result<f32> {
    positive(text).map_err(|reason| usage(format!("{option} {text}: {reason}")))
}

/// Gives an error the exit code of its kind.
fn classify(error: ExperimentError) -> anyhow::Error {
    match error {
        ExperimentError::Data(ContainerError::Io { path, error, .. }) => {
            failure::io(format!("'{}'", path.display()), &error)
        }
        ExperimentError::Data(ContainerError::Data { .. }) => failure::data(error),
        ExperimentError::Data(ContainerError::Usage { .. })
        | ExperimentError::NoData(_)
        | ExperimentError::Setting { .. }
        | ExperimentError::Slots { .. } => usage(error),
    }
}
