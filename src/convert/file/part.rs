//! One file of the output: its tensors, and where their bytes go.

use std::{fs::File, io::BufWriter, os::unix::fs::FileExt};

use super::{
    Config, FileError,
    chunks::{InOrder, Sink},
    metadata,
    plan::{Action, Job},
    run::Runner,
    summary::Summary,
    write_error,
};
use crate::container::{
    Container, Element, Holds, Layout, Source, Tensor, Writing, show, view_name,
};

/// One file of the output.
pub(super) struct Part<'a> {
    kind: &'static Container,
    jobs: &'a [Job],
    /// The tensors that are written.
    outputs: Vec<Tensor>,
    /// Where they go, if the kind has a frame and every length is known.
    layout: Option<Layout>,
}

/// Where the bytes of a part go.
pub(super) enum Output<'a> {
    /// Nowhere.
    Nowhere,
    /// To a file, each tensor from an offset on.
    At(&'a File, &'a [u64]),
    /// One after the other.
    InOrder(&'a InOrder),
}

impl<'a> Part<'a> {
    /// Lays a part out.
    pub(super) fn new(
        config: &Config,
        kind: &'static Container,
        source: &Source,
        jobs: &'a [Job],
    ) -> Result<Self, FileError> {
        let outputs: Vec<Tensor> = jobs.iter().flat_map(|job| job.outputs.clone()).collect();
        let is_sized = outputs.iter().all(|output| output.bytes.is_some());
        let fail = |what: String| FileError::Usage(format!("{}: {what}", show(&source.path)));
        let layout = match &kind.writing {
            Writing::None(_) | Writing::Text(_) => None,
            Writing::Framed(framing) if is_sized => {
                let metadata = metadata::of(config, source, jobs);
                Some((framing.layout)(&outputs, &metadata).map_err(fail)?)
            }
            Writing::Framed(framing) if framing.holds == Holds::Elements => None,
            Writing::Framed(_) => {
                let name = kind.name;
                return Err(fail(format!(
                    "{name} begins with its length, which a stream does not tell: write raw or text"
                )));
            }
        };
        Ok(Self { kind, jobs, outputs, layout })
    }

    /// Returns the bytes of the file, if they are known before it is written.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.layout.as_ref().map(|layout| layout.bytes)
    }

    /// Returns the tensors' names and bytes.
    pub(super) fn tensors(&self) -> &[Tensor] {
        &self.outputs
    }

    /// Refuses kinds with headers, which are completed at the end.
    pub(super) fn check_streamed(&self) -> Result<(), FileError> {
        let is_plain = match &self.kind.writing {
            Writing::Framed(framing) => framing.holds == Holds::Elements,
            Writing::Text(_) => true,
            Writing::None(_) => false,
        };
        if !is_plain {
            let what = "is written in any order: only raw elements and text can be streamed";
            return Err(FileError::Usage(format!("{} {what}", self.kind.name)));
        }
        Ok(())
    }

    /// Returns what people should know about such an output.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Writing::Framed(framing) = &self.kind.writing {
            if framing.holds == Holds::Elements && self.outputs.len() > 1 {
                let count = self.outputs.len();
                notes.push(format!("raw has no header: {count} tensors follow each other"));
            }
            let void = self.outputs.iter().find(|output| output.dtype.starts_with("<V"));
            if let Some(Element::Float(storage)) = void.map(|output| &output.element)
                && let Some(name) = view_name(&storage.format)
            {
                notes.push(format!("in NumPy, see the values with x.view(ml_dtypes.{name})"));
            }
        }
        notes
    }

    /// Writes the file from its first byte to its last, and syncs nothing.
    pub(super) fn write(
        &self,
        runner: &Runner,
        file: &File,
        summary: &mut Summary,
    ) -> Result<(), FileError> {
        let Writing::Framed(framing) = &self.kind.writing else {
            let writer = BufWriter::new(file.try_clone().map_err(write_error)?);
            let stream = InOrder::new(Box::new(writer));
            self.convert(runner, &Output::InOrder(&stream), summary)?;
            return stream.flush().map_err(write_error);
        };
        let Some(layout) = &self.layout else {
            return self.convert(runner, &Output::At(file, &[0]), summary);
        };
        for (offset, header) in &layout.headers {
            file.write_all_at(header, *offset).map_err(write_error)?;
        }
        self.convert(runner, &Output::At(file, &layout.offsets), summary)?;
        match framing.seal {
            Some(seal) => seal(file, &self.outputs, layout).map_err(write_error),
            None => Ok(()),
        }
    }

    /// Carries out the part's jobs.
    pub(super) fn convert(
        &self,
        runner: &Runner,
        output: &Output,
        summary: &mut Summary,
    ) -> Result<(), FileError> {
        let mut next = 0;
        for job in self.jobs {
            let sinks: Vec<Sink> = (next..next + job.outputs.len())
                .map(|output_number| match output {
                    Output::Nowhere => Sink::Nowhere,
                    Output::At(file, offsets) => Sink::At(file, offsets[output_number]),
                    Output::InOrder(stream) => Sink::InOrder(stream),
                })
                .collect();
            next += job.outputs.len();
            match &job.action {
                Action::Copy(_) => runner.copy(job, &sinks[0])?,
                Action::Convert(conversion) => {
                    let (counts, scales, lost) = runner.convert(job, conversion, &sinks)?;
                    summary.counts += counts;
                    summary.scales += scales;
                    summary.lost = summary.lost.take().or(lost);
                }
            }
        }
        Ok(())
    }
}
