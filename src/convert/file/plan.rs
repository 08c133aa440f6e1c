//! What becomes of each tensor, decided before anything is converted.

use std::path::Path;

use super::{Config, FileError, outputs::describe, scaled::Scaling, store::Form, summary::Summary};
use crate::container::{
    Container, Element, Holds, Source, Tensor, Writing,
    companion::{self, Scaled},
    quote,
    written::Record,
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
    /// The scales that are to be found.
    pub(super) scaling: Option<Scaling>,
    /// The shape in elements.
    pub(super) shape: Vec<u64>,
    /// The elements, if they are known before they are read.
    pub(super) count: Option<u64>,
    /// What the output says of the tensor because its header does not tell.
    pub(super) record: Option<Record>,
}

impl Conversion {
    /// Returns how often the tensor is read.
    fn passes(&self) -> u64 {
        let to_scale = |scaling: &Scaling| 2 + u64::from(scaling.quantizer.needs_tensor_scale());
        self.scaling.as_ref().map_or(1, to_scale)
    }
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
    let planner = Planner { config, kind };
    let mut paired = Vec::with_capacity(tensors.len());
    for (pair, tensor) in companion::pairs(parts, &tensors).into_iter().zip(&tensors) {
        paired.push(match pair {
            Ok(pair) => pair,
            Err(_) if config.allow_unscaled || !config.select.takes(&tensor.name) => None,
            Err(what) => {
                let (part, _) = places[paired.len()];
                let tensor = describe(tensor, &parts[part]);
                return Err(FileError::Data(format!(
                    "{tensor} is a weight without its scales: {what}; --allow-unscaled takes it as \
                     it is"
                )));
            }
        });
    }
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

    /// Returns the bytes that are read, those that are read twice counted twice.
    pub(super) fn work(&self) -> u64 {
        let bytes = |job: &Job| {
            let passes = match &job.action {
                Action::Convert(conversion) => conversion.passes(),
                Action::Copy(_) => 1,
            };
            passes * self.tensors[job.tensor].bytes.unwrap_or_default()
        };
        self.jobs.iter().map(bytes).sum()
    }

    /// Returns what is known before anything is converted.
    pub(super) fn summary(&self, path: &Path) -> Summary {
        let mut summary = Summary { path: path.to_owned(), ..Summary::default() };
        summary.tensors = self.tensors.len() as u64;
        summary.bytes_in = self.tensors.iter().map(|t| t.bytes.unwrap_or_default()).sum();
        for job in &self.jobs {
            match job.action {
                Action::Copy(why) => summary.copied.count(why),
                Action::Convert(_) => summary.converted += 1,
            }
        }
        summary
    }
}

/// What all decisions look at.
pub(super) struct Planner<'a> {
    pub(super) config: &'a Config,
    /// The kind of file that is written.
    pub(super) kind: &'static Container,
}

impl Planner<'_> {
    /// Returns why a tensor is copied; `None` if it is converted.
    fn reason(&self, tensor: &Tensor, scaled: Option<&Scaled>) -> Option<Why> {
        let is_number = !matches!(
            tensor.element,
            Element::Integer(_) | Element::Opaque | Element::Unreadable(_)
        );
        let is_named = !tensor.name.is_empty();
        let select = &self.config.select;
        let few = scaled.map_or(tensor.shape.len(), |scaled| scaled.weight.shape.len()) < 2;
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
