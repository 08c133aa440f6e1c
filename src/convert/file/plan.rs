//! What becomes of each tensor, decided before anything is converted.

use std::path::Path;

use super::{Config, FileError, store::Form, summary::Summary};
use crate::{
    block::{
        grouping::Grouping,
        spec::{Scaling, Spec},
    },
    container::{
        Container, Element, Holds, Source, Tensor, Writing,
        companion::{self, Names, Scaled},
        quote,
    },
};

/// Every tensor of the input, and what is to happen to it.
#[derive(Debug)]
pub(super) struct Plan {
    /// The tensors of all parts, one after the other: a tensor's number is its place here.
    pub(super) tensors: Vec<Tensor>,
    /// The part of each tensor, and its place there.
    pub(super) places: Vec<(usize, usize)>,
    pub(super) jobs: Vec<Job>,
}

/// What happens to one tensor.
#[derive(Debug)]
pub(super) struct Job {
    /// The tensor's number.
    pub(super) tensor: usize,
    pub(super) action: Action,
    /// Whether the tensor comes with scales.
    pub(super) has_scales: bool,
    /// What is written: the tensor, then its scales if it gets any.
    pub(super) outputs: Vec<Tensor>,
}

/// What happens to a tensor.
#[derive(Debug)]
pub(super) enum Action {
    /// Its bytes are copied.
    Copy(Why),
    /// Its elements are converted.
    Convert(Box<Conversion>),
}

/// How a tensor is converted.
#[derive(Debug)]
pub(super) struct Conversion {
    /// The scales it comes with.
    pub(super) scaled: Option<Scaled>,
    /// What is written.
    pub(super) form: Form,
    /// Which elements share a scale that is to be found.
    pub(super) grouping: Option<Grouping>,
}

/// Why a tensor is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Its elements are not floating-point numbers.
    NotFloat,
    /// The globs leave it out.
    LeftOut,
    /// It has fewer than two dimensions and the target fewer than 16 bits.
    FewDimensions,
    /// It is a scale.
    Scale,
}

/// Bits below which tensors of fewer than two dimensions, biases and norms, are copied.
const NARROW: u32 = 16;

/// Returns the plan for some parts, to be written as another kind.
pub(super) fn plan(
    config: &Config,
    parts: &[Source],
    kind: &'static Container,
) -> Result<Plan, FileError> {
    if let Writing::None(why) = kind.writing {
        return Err(FileError::Usage(why.to_owned()));
    }
    let tensors: Vec<Tensor> = parts.iter().flat_map(|part| part.tensors.clone()).collect();
    let places: Vec<(usize, usize)> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, source)| (0..source.tensors.len()).map(move |at| (part, at)))
        .collect();
    let planner = Planner { config, parts, kind, names: companion::names(&tensors) };
    let written: Vec<Vec<Scaling>> = parts.iter().map(written_scalings).collect();
    let paired: Vec<Option<Scaled>> = tensors
        .iter()
        .zip(&places)
        .map(|(tensor, (part, _))| planner.pair(tensor, &tensors, *part, &written[*part]))
        .collect();
    let mut scale_of = vec![None; tensors.len()];
    for (weight, scaled) in paired.iter().enumerate() {
        if let Some(scaled) = scaled {
            scale_of[scaled.scale] = Some(weight);
            if let Some((global, _)) = scaled.global {
                scale_of[global] = Some(weight);
            }
        }
    }
    let mut jobs = Vec::with_capacity(tensors.len());
    for (i, tensor) in tensors.iter().enumerate() {
        let weight_of = |i: usize| planner.reason(&tensors[i], paired[i].as_ref());
        // A scale goes with its weight: both are kept, or the weight needs it no more.
        let why = match scale_of[i] {
            Some(weight) if weight_of(weight).is_none() => continue,
            Some(_) => Some(Why::Scale),
            None => weight_of(i),
        };
        let source = &parts[places[i].0];
        let mut job = match why {
            Some(why) => planner.copy(i, tensor, why, source)?,
            None => planner.convert(i, tensor, paired[i].clone(), source)?,
        };
        job.has_scales = paired[i].is_some();
        jobs.push(job);
    }
    let plan = Plan { jobs, places, tensors: Vec::new() };
    planner.check_names(&plan)?;
    Ok(Plan { tensors, ..plan })
}

impl Plan {
    /// Returns the jobs on the tensors of a part.
    pub(super) fn jobs_of(&self, part: usize) -> &[Job] {
        let of = |job: &Job| self.places[job.tensor].0;
        let first = self.jobs.partition_point(|job| of(job) < part);
        let last = self.jobs.partition_point(|job| of(job) <= part);
        &self.jobs[first..last]
    }

    /// Returns the bytes that are read of some parts, those that are read twice counted twice.
    pub(super) fn work(&self, parts: &[usize]) -> u64 {
        let bytes = |job: &Job| {
            let passes = match &job.action {
                Action::Convert(conversion) if conversion.grouping.is_some() => 2,
                Action::Convert(_) | Action::Copy(_) => 1,
            };
            passes * self.tensors[job.tensor].bytes.unwrap_or_default()
        };
        parts.iter().flat_map(|part| self.jobs_of(*part)).map(bytes).sum()
    }

    /// Returns what is known of some parts before anything is converted.
    pub(super) fn summary(&self, path: &Path, parts: &[usize]) -> Summary {
        let mut summary = Summary { path: path.to_owned(), ..Summary::default() };
        for (tensor, (part, _)) in self.tensors.iter().zip(&self.places) {
            if parts.contains(part) {
                summary.tensors += 1;
                summary.bytes_in += tensor.bytes.unwrap_or_default();
            }
        }
        for job in parts.iter().flat_map(|part| self.jobs_of(*part)) {
            match job.action {
                Action::Copy(why) => summary.copied.count(why),
                Action::Convert(_) => summary.converted += 1,
            }
        }
        summary
    }
}

/// The metadata key under which a file written here names its formats.
pub(super) const FORMAT_KEY: &str = "fpx.format";
/// The key that says whether 8-bit codes without a scale are plain numbers, and the value that does.
pub(super) const SCALE_KEY: (&str, &str) = ("fpx.scale", "none");

/// Returns the scalings that a file says its weights were written with.
fn written_scalings(source: &Source) -> Vec<Scaling> {
    let formats = source.metadata.iter().find(|(key, _)| key == FORMAT_KEY);
    let names = formats.map_or("", |(_, formats)| formats).split(',');
    names.filter_map(|name| name.parse::<Spec>().ok()).map(|spec| spec.scaling).collect()
}

/// Whether a file says that its 8-bit codes without a scale are plain numbers.
pub(super) fn says_unscaled(source: &Source) -> bool {
    source.metadata.iter().any(|(key, value)| (key.as_str(), value.as_str()) == SCALE_KEY)
}

/// What all decisions look at.
pub(super) struct Planner<'a> {
    pub(super) config: &'a Config,
    pub(super) parts: &'a [Source],
    /// The kind of file that is written.
    pub(super) kind: &'static Container,
    names: Names<'a>,
}

impl Planner<'_> {
    /// Finds the scales of a weight, in kinds of file that have them.
    fn pair(
        &self,
        tensor: &Tensor,
        all: &[Tensor],
        part: usize,
        written: &[Scaling],
    ) -> Option<Scaled> {
        if !is_described(self.parts[part].kind) {
            return None;
        }
        // Without a hint that fits, the shapes alone have to tell.
        let mut hints = written.iter().map(Some).chain([None]);
        hints.find_map(|hint| companion::find(tensor, all, &self.names, hint))
    }

    /// Returns why a tensor is copied; `None` if it is converted.
    fn reason(&self, tensor: &Tensor, scaled: Option<&Scaled>) -> Option<Why> {
        let is_number = matches!(tensor.element, Element::Float(_) | Element::Literal);
        let is_named = !tensor.name.is_empty();
        let select = &self.config.select;
        let few = scaled.map_or(tensor.shape.len(), |scaled| scaled.shape.len()) < 2;
        if scaled.is_none() && !is_number {
            Some(Why::NotFloat)
        } else if is_named && companion::is_scale(tensor) && !select.names(&tensor.name) {
            Some(Why::Scale)
        } else if is_named && !select.takes(&tensor.name) {
            Some(Why::LeftOut)
        } else if is_named
            && few
            && self.config.target.format.width() < NARROW
            && !select.names(&tensor.name)
        {
            Some(Why::FewDimensions)
        } else {
            None
        }
    }

    /// Refuses two tensors of one name, and more than the kind holds.
    fn check_names(&self, plan: &Plan) -> Result<(), FileError> {
        let holds = self.framing().map_or(Holds::One, |framing| framing.holds);
        if holds == Holds::One && plan.jobs.len() != 1 {
            return Err(FileError::Usage(format!(
                "{} holds one tensor, the input has {}: write safetensors, npz or raw",
                self.kind.name,
                plan.jobs.len()
            )));
        }
        let mut seen = std::collections::HashSet::new();
        let mut outputs = plan.jobs.iter().flat_map(|job| &job.outputs);
        let repeated = outputs.find(|output| !seen.insert(&output.name));
        match repeated {
            Some(output) if holds != Holds::Elements => {
                let name = quote(&output.name);
                Err(FileError::Data(format!("the output would have two tensors {name}")))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a kind has a place for what describes a tensor: metadata and scales.
pub(super) fn is_described(kind: &Container) -> bool {
    match &kind.writing {
        Writing::Framed(framing) => framing.holds == Holds::Described,
        // GGUF, which is only read, names its tensors.
        Writing::None(_) => true,
        Writing::Text(_) => false,
    }
}
