//! A checkpoint folder becomes another: shard by shard, with its index, configuration and side files.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use serde_json::Value;

use super::{
    Config, FileError, Progress,
    part::{Output, Part},
    plan::{self, Action, Plan},
    run::Runner,
    summary::Summary,
    units::Units,
    write_error,
};
use crate::{
    container::{
        ContainerError, SAFETENSORS, Shard,
        checkpoint::{self, CONFIG, Checkpoint, Index},
        output::{FolderDraft, Interrupt, Place},
        view_name,
    },
    format::{F16, F32, F64, Format},
};

/// Where a folder goes.
#[derive(Clone, Debug)]
pub enum FolderDestination {
    /// Nowhere: the work is done to measure it.
    Nowhere,
    /// A folder that appears when it is whole.
    Whole(Place),
    /// A folder that fills up file by file, in one run or in several: see [`Shard`].
    Units {
        /// The folder.
        path: PathBuf,
        /// What becomes of files that are there already.
        existing: Existing,
    },
}

/// What becomes of files of weights that are there already; without either, they are refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Existing {
    /// Those that are finished are kept.
    pub keep: bool,
    /// The others are replaced.
    pub replace: bool,
}

/// Converts the files of a folder that belong to a share; each gets a file of the same name.
///
/// # Errors
///
/// [`FileError`]; then the input is as it was, and there is no output but the finished files of
/// [`FolderDestination::Units`].
pub fn convert_folder(
    config: &Config,
    checkpoint: &Checkpoint,
    share: Shard,
    destination: FolderDestination,
    interrupt: &Interrupt,
    progress: &dyn Progress,
) -> Result<Summary, FileError> {
    let started = Instant::now();
    let plan = plan::plan(config, &checkpoint.shards, &SAFETENSORS)?;
    let parts = checkpoint
        .shards
        .iter()
        .enumerate()
        .map(|(i, shard)| Part::new(config, &SAFETENSORS, shard, plan.jobs_of(i)))
        .collect::<Result<Vec<_>, _>>()?;
    let folder = Folder { config, checkpoint, plan: &plan, parts };
    let units = match &destination {
        FolderDestination::Units { path, existing } => {
            Some(Units::new(&folder, share, path, *existing)?)
        }
        FolderDestination::Nowhere | FolderDestination::Whole(_) => None,
    };
    let runner = Runner::new(config, &checkpoint.shards, &plan, progress);
    let own = || (0..folder.parts.len()).filter(|&unit| share.contains(unit as u64)).collect();
    let own: Vec<usize> = units.as_ref().map_or_else(own, |units| units.missing().to_vec());
    progress.start(plan.work(&own));
    let mut summary = plan.summary(&checkpoint.root, &own);
    summary.bytes_out = own.iter().filter_map(|&unit| folder.parts[unit].bytes()).sum();
    match (destination, units) {
        (_, Some(units)) => units.write(&runner, interrupt, &mut summary)?,
        (FolderDestination::Whole(place), None) => {
            let (total, largest) = folder.sizes()?;
            let draft = FolderDraft::create(place, total, largest, interrupt)?;
            folder.write(&runner, &draft, &mut summary)?;
            if config.failed(&summary.counts).is_empty() {
                draft.finish()?;
                summary.is_written = true;
            }
        }
        (FolderDestination::Nowhere | FolderDestination::Units { .. }, None) => {
            for unit in own {
                folder.parts[unit].convert(&runner, &Output::Nowhere, &mut summary)?;
            }
        }
    }
    summary.failed = config.failed(&summary.counts);
    summary.duration = started.elapsed();
    Ok(summary)
}

/// A folder on its way.
pub(super) struct Folder<'a> {
    pub(super) config: &'a Config,
    pub(super) checkpoint: &'a Checkpoint,
    plan: &'a Plan,
    pub(super) parts: Vec<Part<'a>>,
}

impl Folder<'_> {
    /// Returns the bytes of all files, and of the largest.
    fn sizes(&self) -> Result<(u64, u64), FileError> {
        let (mut total, mut largest) = (0u64, 0);
        let mut add = |bytes: u64| {
            total = total.saturating_add(bytes);
            largest = largest.max(bytes);
        };
        self.parts.iter().filter_map(Part::bytes).for_each(&mut add);
        for file in &self.checkpoint.side_files {
            let path = self.checkpoint.root.join(file);
            let metadata = fs::metadata(&path);
            add(metadata.map_err(|error| ContainerError::io("read", &path, error))?.len());
        }
        Ok((total, largest))
    }

    /// Writes every file.
    fn write(
        &self,
        runner: &Runner,
        draft: &FolderDraft,
        summary: &mut Summary,
    ) -> Result<(), FileError> {
        for (unit, part) in self.parts.iter().enumerate() {
            let file = draft.file(self.name(unit))?;
            part.write(runner, &file, summary)?;
            sync(&file)?;
        }
        self.write_rest(summary, &mut |name, fill| {
            let file = draft.file(name)?;
            fill(&file)?;
            sync(&file)
        })
    }

    /// Returns the name of a part's file.
    pub(super) fn name(&self, unit: usize) -> &Path {
        Path::new(self.checkpoint.shards[unit].path.file_name().unwrap_or_default())
    }

    /// Hands out every file that holds no weights, the index last: its name and what fills it.
    pub(super) fn write_rest(
        &self,
        summary: &mut Summary,
        put: &mut dyn FnMut(&Path, Fill) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        for path in &self.checkpoint.side_files {
            let source = self.checkpoint.root.join(path);
            if path == Path::new(CONFIG) {
                let (text, note) = self.configuration(checkpoint::read_text(&source)?);
                summary.notes.extend(note);
                put(path, &|file| write_text(file, &text))?;
            } else {
                put(path, &|mut file| {
                    let fail = |error| ContainerError::io("copy", &source, error);
                    let mut opened = File::open(&source).map_err(fail)?;
                    io::copy(&mut opened, &mut file).map_err(fail)?;
                    Ok(())
                })?;
            }
        }
        let Some(index) = &self.checkpoint.index else { return Ok(()) };
        let text = self.index_text(index);
        put(Path::new(&index.name), &|file| write_text(file, &text))
    }

    fn index_text(&self, index: &Index) -> String {
        let mut weight_map = BTreeMap::new();
        let mut total_size = 0;
        for (unit, part) in self.parts.iter().enumerate() {
            let name = self.name(unit).to_string_lossy();
            for tensor in part.tensors() {
                total_size += tensor.bytes.unwrap_or_default();
                weight_map.insert(tensor.name.clone(), name.clone().into_owned());
            }
        }
        index.text(&weight_map, total_size)
    }

    /// Returns the configuration with the type that the weights now have, and what should be known
    /// about it. What is no JSON stays as it is.
    fn configuration(&self, text: String) -> (String, Option<String>) {
        let target = &self.config.target;
        let converts = self.plan.jobs.iter().any(|job| matches!(job.action, Action::Convert(_)));
        let Ok(mut value) = serde_json::from_str::<Value>(&text) else {
            return (text, Some(format!("{CONFIG} is not JSON and was copied")));
        };
        if self.config.simulate || !converts {
            return (text, None);
        }
        if !target.is_plain() {
            let note = format!("{CONFIG} was copied: a loader needs its own quantization_config");
            return (text, Some(note));
        }
        let dequantised = self.plan.jobs.iter().any(|job| match &job.action {
            Action::Convert(conversion) => conversion.scaled.is_some(),
            Action::Copy(_) => false,
        });
        let removed = dequantised
            && value.as_object_mut().is_some_and(|map| map.shift_remove(QUANTIZATION).is_some());
        let note = removed.then(|| format!("{QUANTIZATION} was removed from {CONFIG}"));
        let Some(name) = torch_name(&target.format) else {
            let note = format!("{CONFIG} keeps its type: PyTorch has none for {target}");
            return (text, Some(note));
        };
        set_type(&mut value, name);
        (format!("{value:#}\n"), note)
    }
}

/// What fills a file.
pub(super) type Fill<'f> = &'f dyn Fn(&File) -> Result<(), FileError>;

/// The key of a configuration that describes the scales of weights.
const QUANTIZATION: &str = "quantization_config";
/// Keys of a configuration that name the type of the weights.
const TYPE_KEYS: [&str; 2] = ["dtype", "torch_dtype"];

/// Returns PyTorch's name of a format.
fn torch_name(format: &Format) -> Option<&'static str> {
    let hardware = [(&F64, "float64"), (&F32, "float32"), (&F16, "float16")];
    let found = hardware.into_iter().find(|(row, _)| *row == format).map(|(_, name)| name);
    found.or_else(|| view_name(format))
}

/// Replaces the type of the weights, in the configurations of parts of the model too.
fn set_type(value: &mut Value, name: &str) {
    let Value::Object(map) = value else { return };
    for (key, value) in map {
        if TYPE_KEYS.contains(&key.as_str()) && value.is_string() {
            *value = name.into();
        } else if key.ends_with("config") && key != QUANTIZATION {
            set_type(value, name);
        }
    }
}

fn write_text(mut file: &File, text: &str) -> Result<(), FileError> {
    file.write_all(text.as_bytes()).map_err(write_error)
}

fn sync(file: &File) -> Result<(), FileError> {
    file.sync_all().map_err(write_error)
}
