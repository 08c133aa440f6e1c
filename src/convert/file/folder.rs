//! A checkpoint folder becomes another: shard by shard, with its index, configuration and side files.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::Instant,
};

use serde_json::Value;

use super::{
    Config, FileError, Progress,
    part::{Output, Part},
    plan::{self, Action, Plan},
    run::Runner,
    summary::Summary,
    write_error,
};
use crate::{
    container::{
        ContainerError, SAFETENSORS,
        checkpoint::{self, CONFIG, Checkpoint},
        output::{FolderDraft, Interrupt, Place},
        view_name,
    },
    format::{F16, F32, F64, Format},
};

/// Converts a folder; every shard gets a shard of the same name.
///
/// # Errors
///
/// [`FileError`]; then there is no output and the input is as it was.
pub fn convert_folder(
    config: &Config,
    checkpoint: &Checkpoint,
    place: Option<Place>,
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
    let runner = Runner::new(config, &checkpoint.shards, &plan, progress);
    progress.start(plan.work());
    let mut summary = plan.summary(&checkpoint.root);
    summary.bytes_out = folder.parts.iter().filter_map(Part::bytes).sum();
    match place {
        None => {
            for part in &folder.parts {
                part.convert(&runner, &Output::Nowhere, &mut summary)?;
            }
        }
        Some(place) => {
            let (total, largest) = folder.sizes()?;
            let draft = FolderDraft::create(place, total, largest, interrupt)?;
            folder.write(&runner, &draft, &mut summary)?;
            if config.failed(&summary.counts).is_empty() {
                draft.finish()?;
                summary.is_written = true;
            }
        }
    }
    summary.failed = config.failed(&summary.counts);
    summary.duration = started.elapsed();
    Ok(summary)
}

/// A folder on its way.
struct Folder<'a> {
    config: &'a Config,
    checkpoint: &'a Checkpoint,
    plan: &'a Plan,
    parts: Vec<Part<'a>>,
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
        let mut weight_map = BTreeMap::new();
        let mut total_size = 0;
        for (part, shard) in self.parts.iter().zip(&self.checkpoint.shards) {
            let name = Path::new(shard.path.file_name().unwrap_or_default());
            let file = draft.file(name)?;
            part.write(runner, &file, summary)?;
            sync(&file)?;
            for tensor in part.tensors() {
                total_size += tensor.bytes.unwrap_or_default();
                weight_map.insert(tensor.name.clone(), name.to_string_lossy().into_owned());
            }
        }
        if let Some(index) = &self.checkpoint.index {
            let text = index.text(&weight_map, total_size);
            write_text(&draft.file(Path::new(&index.name))?, &text)?;
        }
        for path in &self.checkpoint.side_files {
            let source = self.checkpoint.root.join(path);
            let target = draft.file(path)?;
            if path == Path::new(CONFIG) {
                let (text, note) = self.configuration(checkpoint::read_text(&source)?);
                summary.notes.extend(note);
                write_text(&target, &text)?;
            } else {
                let fail = |error| ContainerError::io("copy", &source, error);
                let mut opened = File::open(&source).map_err(fail)?;
                io::copy(&mut opened, &mut &target).map_err(fail)?;
                sync(&target)?;
            }
        }
        Ok(())
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
    file.write_all(text.as_bytes()).map_err(write_error)?;
    sync(file)
}

fn sync(file: &File) -> Result<(), FileError> {
    file.sync_all().map_err(write_error)
}
