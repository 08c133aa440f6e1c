//! `fpx convert` on files, folders and streams of elements.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use fpx::{
    codec::Projection,
    container::{
        self, CONTAINERS, Container, ContainerError, Hints, Packing, Shard, checkpoint,
        output::{self, Interrupt, Target},
    },
    convert::file::{
        self, Blame, Config, Destination, Existing, FileError, FolderDestination, Select, Summary,
        Watched,
    },
    format::Format,
    report::{Emit, Screen, Syntax},
};

use super::{
    Outcome,
    failure::{self, data, usage},
    file_args::FileArgs,
    options::{self, Common},
    output::{Output, interrupted, raw_stdin, raw_stdout},
    progress::Bytes,
};

/// One file to convert.
pub(crate) enum Input {
    /// Standard input.
    Stream,
    /// A file or folder.
    Path(PathBuf),
}

/// What is asked of all files.
pub(crate) struct Request<'a> {
    pub(crate) inputs: Vec<Input>,
    pub(crate) is_json: bool,
    pub(crate) files: &'a FileArgs,
    pub(crate) from: Option<&'a str>,
    pub(crate) to: &'a [String],
    pub(crate) projection: Projection,
    pub(crate) seed: u64,
}

/// Converts files.
pub(crate) fn run(request: &Request, common: &Common, out: &mut Output) -> anyhow::Result<Outcome> {
    let from = match request.from {
        Some(name) => Some(options::plain_format(name, "--from", out)?),
        None => None,
    };
    let config = config(request, from.clone(), out)?;
    let hints = hints(request.files, from, out)?;
    let is_streamed = request.files.output.as_deref() == Some(Path::new("-"));
    if is_streamed && request.is_json {
        return Err(usage("--json reports on standard output, where '-o -' writes the elements"));
    }
    if request.inputs.len() > 1 && request.files.output.is_some() {
        return Err(usage("one INPUT for one -o: give each file its own output"));
    }
    let interrupt = Interrupt::default();
    let at_interrupt = interrupt.clone();
    // Only the first call of a process can set the handler, and this is the first.
    let _ = ctrlc::set_handler(move || at_interrupt.abandon(|| interrupted()));
    let job = Job { config, hints, files: request.files, interrupt };
    let mut summaries = Vec::new();
    for input in &request.inputs {
        let bar = Bytes::new(common.quiet);
        let summary = job.convert(input, &bar);
        drop(bar);
        let summary = summary.map_err(failure)?;
        if !request.is_json {
            show(&job.config, &summary, out);
        }
        summaries.push(summary);
    }
    if request.is_json {
        let report = file::report(&job.config, &summaries);
        out.text(&report.render(Emit::Data(Syntax::Json), Screen::default()))?;
        for warning in summaries.iter().filter_map(|s| file::lines(&job.config, s).1) {
            out.warning(&warning);
        }
    }
    let is_clean = summaries.iter().all(|summary| summary.failed.is_empty());
    Ok(if is_clean { Outcome::Done } else { Outcome::CheckFailed })
}

/// Prints what became of one input.
fn show(config: &Config, summary: &Summary, out: &mut Output) {
    let (lines, warning) = file::lines(config, summary);
    for note in &summary.notes {
        out.note(note);
    }
    for line in lines {
        out.summary(&line);
    }
    if let Some(warning) = warning {
        out.warning(&warning);
    }
}

fn config(request: &Request, from: Option<Format>, out: &mut Output) -> anyhow::Result<Config> {
    let files = request.files;
    let mut targets = options::specs(request.to, out)?;
    let (1, Some(target)) = (targets.len(), targets.pop()) else {
        return Err(usage("a file is converted to one format: give one --to FORMAT"));
    };
    let patterns = |option: &str, globs: &[String]| -> anyhow::Result<Vec<glob::Pattern>> {
        let pattern = |glob: &String| {
            glob::Pattern::new(glob)
                .map_err(|error| usage(format!("{option} '{glob}': {}", error.msg.to_lowercase())))
        };
        globs.iter().map(pattern).collect()
    };
    let watched = |name: &String| {
        let found = Watched::ALL.into_iter().find(|(known, _)| known == name);
        found
            .map(|(_, watched)| watched)
            .ok_or_else(|| failure::unknown("fail-on", name, &Watched::ALL.map(|(name, _)| name)))
    };
    Ok(Config {
        target,
        projection: request.projection,
        seed: request.seed,
        from,
        select: Select {
            include: patterns("--include", &files.include)?,
            exclude: patterns("--exclude", &files.exclude)?,
        },
        simulate: files.simulate,
        packing: packing(files.packing.as_deref())?,
        allow_unscaled: files.allow_unscaled,
        fail_on: files.fail_on.iter().map(watched).collect::<anyhow::Result<_>>()?,
    })
}

/// Reads `--packing`.
pub(crate) fn packing(name: Option<&str>) -> anyhow::Result<Packing> {
    match name {
        None | Some("dense") => Ok(Packing::Dense),
        Some("byte") => Ok(Packing::Byte),
        Some(other) => Err(failure::unknown("packing", other, &["dense", "byte"])),
    }
}

fn hints(files: &FileArgs, from: Option<Format>, out: &mut Output) -> anyhow::Result<Hints> {
    let dtype = match &files.dtype {
        Some(name) => Some(options::plain_format(name, "--dtype", out)?),
        None => None,
    };
    Ok(Hints { from, packing: packing(files.packing.as_deref())?, dtype })
}

/// Reads an option that names a kind of file.
pub(crate) fn kind(option: &str, name: Option<&str>) -> anyhow::Result<Option<&'static Container>> {
    let Some(name) = name else { return Ok(None) };
    container::by_name(name).map(Some).ok_or_else(|| {
        let names: Vec<_> = CONTAINERS.iter().map(|kind| kind.name).collect();
        failure::unknown(option, name, &names)
    })
}

/// Why one input was not converted.
enum JobError {
    /// The job says so.
    File(FileError),
    /// An argument is wrong.
    Other(anyhow::Error),
}

impl<E: Into<FileError>> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::File(error.into())
    }
}

/// Gives an error the exit code of whose fault it is.
fn failure(error: JobError) -> anyhow::Error {
    match error {
        JobError::Other(error) => error,
        JobError::File(FileError::ClosedPipe) => {
            std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()
        }
        JobError::File(error) => match error.blame() {
            Blame::Usage => usage(error),
            Blame::Data => data(error),
            Blame::System | Blame::Reader => failure::input_output(error),
        },
    }
}

/// What is done to each input.
struct Job<'a> {
    config: Config,
    hints: Hints,
    files: &'a FileArgs,
    interrupt: Interrupt,
}

impl Job<'_> {
    fn convert(&self, input: &Input, bar: &Bytes) -> Result<Summary, JobError> {
        match input {
            Input::Path(path) if path.is_dir() => self.folder(path, bar),
            Input::Path(_) | Input::Stream => self.file(input, bar),
        }
    }

    fn folder(&self, path: &Path, bar: &Bytes) -> Result<Summary, JobError> {
        let files = self.files;
        let option = [("--input-kind", &files.input_kind), ("--output-kind", &files.output_kind)]
            .into_iter()
            .find_map(|(name, given)| given.as_ref().map(|_| name));
        if let Some(option) = option.or(self.hints.dtype.as_ref().map(|_| "--dtype")) {
            let what = format!("{option} does not go with a folder, which holds safetensors");
            return Err(ContainerError::usage(path, what).into());
        }
        let share = files.units.shard.as_deref().map_or(Ok(Shard::WHOLE), str::parse);
        let share: Shard = share.map_err(|error| JobError::Other(usage(error)))?;
        let destination = match files.output.as_deref() {
            None => FolderDestination::Nowhere,
            Some(output) if output == Path::new("-") => {
                return Err(ContainerError::usage(path, "a folder cannot be streamed").into());
            }
            Some(output) if files.units.resume || files.units.shard.is_some() => {
                FolderDestination::Units {
                    path: output::shared_folder(output, path)?,
                    existing: Existing { keep: files.units.resume, replace: files.units.force },
                }
            }
            Some(output) => {
                FolderDestination::Whole(output::folder_target(output, path, files.units.force)?)
            }
        };
        let checkpoint = checkpoint::open_folder(path)?;
        let (config, interrupt) = (&self.config, &self.interrupt);
        Ok(file::convert_folder(config, &checkpoint, share, destination, interrupt, bar)?)
    }

    fn file(&self, input: &Input, bar: &Bytes) -> Result<Summary, JobError> {
        let files = self.files;
        for (option, given) in
            [("--shard", files.units.shard.is_some()), ("--resume", files.units.resume)]
        {
            if given {
                let what = format!("{option} is for checkpoint folders, and the input is one file");
                return Err(JobError::Other(usage(what)));
            }
        }
        let given = kind("input-kind", files.input_kind.as_deref()).map_err(JobError::Other)?;
        let source = match input {
            Input::Path(path) => container::open(path, given, &self.hints)?,
            Input::Stream => {
                let stdin = raw_stdin().map_err(|error| JobError::Other(error.into()))?;
                let text = &container::text::TEXT;
                let kind = given.unwrap_or(text);
                container::open_stream(Path::new("-"), Box::new(stdin), kind, &self.hints)?
            }
        };
        check_hints(&self.hints, &source)?;
        let named = kind("output-kind", files.output_kind.as_deref()).map_err(JobError::Other)?;
        let kind = match &files.output {
            Some(output) => {
                named.or_else(|| container::by_extension(output)).unwrap_or(&container::RAW)
            }
            None => named.unwrap_or(file::usual_kind(&source)),
        };
        let inputs: Vec<&File> = source.file().into_iter().collect();
        let destination = match files.output.as_deref() {
            None => Destination::Nowhere,
            Some(output) if output == Path::new("-") => {
                let stdout = raw_stdout().map_err(|error| JobError::Other(error.into()))?;
                Destination::Stream(Box::new(stdout))
            }
            Some(output) => match output::file_target(output, &inputs, files.units.force)? {
                Target::File(place) => Destination::Place(place),
                Target::Stream(file) => Destination::Stream(Box::new(file)),
            },
        };
        Ok(file::convert_file(&self.config, source, kind, destination, &self.interrupt, bar)?)
    }
}

/// Refuses to be told what the file says itself.
pub(crate) fn check_hints(hints: &Hints, source: &container::Source) -> Result<(), ContainerError> {
    let kind = source.kind.name;
    let takes_from = matches!(kind, "raw" | "text" | "csv");
    let takes_dtype = matches!(kind, "npy" | "npz");
    let refused = [
        (hints.from.is_some() && !takes_from, "--from"),
        (hints.dtype.is_some() && !takes_dtype, "--dtype"),
    ];
    match refused.into_iter().find(|(refused, _)| *refused) {
        None => Ok(()),
        Some((_, option)) => {
            let what =
                format!("{option} does not go with {kind}, which says what its elements are");
            Err(ContainerError::usage(&source.path, what))
        }
    }
}
