//! What is written of each tensor: its name, element type, shape and bytes.

use super::{
    FileError,
    plan::{Action, Conversion, Job, Planner, Why},
    scaled::Scaling,
    store::Form,
};
use crate::{
    block::spec,
    container::{
        Element, Framing, Holds, Order, Source, Span, Storage, Tensor, Writing,
        companion::{self, Scaled},
        elements, quote, show,
        written::{Record, Written},
    },
    format::{F32, catalogue::TF32},
};

impl Planner<'_> {
    pub(super) fn framing(&self) -> Option<&'static Framing> {
        match &self.kind.writing {
            Writing::Framed(framing) => Some(framing),
            Writing::Text(_) | Writing::None(_) => None,
        }
    }

    /// Returns the name that a tensor has in the output.
    fn output_name(&self, name: &str, source: &Source) -> String {
        let holds_names =
            self.framing().is_some_and(|f| matches!(f.holds, Holds::Named | Holds::Described));
        if name.is_empty() && holds_names {
            // What had no name is called as its file is.
            return source.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        }
        name.to_owned()
    }

    /// Plans to copy a tensor, which the output's kind must have a type for.
    pub(super) fn copy(
        &self,
        number: usize,
        tensor: &Tensor,
        why: Why,
        source: &Source,
    ) -> Result<Job, FileError> {
        if let Element::Unreadable(what) = &tensor.element {
            return Err(FileError::Data(format!("{}: {what}", describe(tensor, source))));
        }
        let mut output = tensor.clone();
        output.name = self.output_name(&tensor.name, source);
        let is_same_kind = self.kind == source.kind || tensor.bytes == Some(0);
        if !is_same_kind {
            let has_own_layout = tensor
                .element
                .storage()
                .is_some_and(|storage| *storage != self.storage(Storage::new(&storage.format)));
            let dtype = self.framing().and_then(|framing| (framing.dtype)(&tensor.element));
            output.dtype = dtype.filter(|_| !has_own_layout).ok_or_else(|| {
                FileError::Usage(format!(
                    "{} is copied, and {} has no type for its {} elements",
                    describe(tensor, source),
                    self.kind.name,
                    tensor.dtype
                ))
            })?;
        }
        self.check_order(&output, source)?;
        Ok(Job {
            tensor: number,
            action: Action::Copy(why),
            has_scales: false,
            outputs: vec![output],
        })
    }

    /// Plans to convert a tensor.
    pub(super) fn convert(
        &self,
        number: usize,
        tensor: &Tensor,
        scaled: Option<Scaled>,
        source: &Source,
    ) -> Result<Job, FileError> {
        self.check_scale(tensor, scaled.as_ref(), source)?;
        let shape = scaled.as_ref().map_or(&tensor.shape, |scaled| &scaled.weight.shape).clone();
        let name = scaled.as_ref().map_or(&tensor.name, |scaled| &scaled.name);
        let weight = Tensor { name: self.output_name(name, source), shape, ..tensor.clone() };
        self.check_order(&weight, source)?;
        let scaling = self.scaling(&weight, source)?;
        let count = tensor.bytes.and_then(|_| elements(&weight.shape));
        let (outputs, form, record) = match &scaling {
            Some(scaling) if !self.keeps_type() => {
                let laid = self.lay_out(&weight, &scaling.grouping, source)?;
                let shape = weight.shape.clone();
                let record =
                    laid.needs_record.then(|| Record { spec: self.config.target.clone(), shape });
                (laid.outputs, laid.form, record)
            }
            _ => {
                let (output, form) = self.plain(tensor, &weight, scaling.is_some(), source)?;
                (vec![output], form, None)
            }
        };
        let shape = weight.shape;
        let conversion = Conversion { scaled, form, scaling, shape, count, record };
        let action = Action::Convert(Box::new(conversion));
        Ok(Job { tensor: number, action, has_scales: false, outputs })
    }

    /// Whether rounded numbers are written as what they were, or as text.
    fn keeps_type(&self) -> bool {
        self.config.simulate || self.config.target.format == TF32 || self.framing().is_none()
    }

    /// Plans what is written of a weight without scales beside it.
    fn plain(
        &self,
        tensor: &Tensor,
        weight: &Tensor,
        is_scaled: bool,
        source: &Source,
    ) -> Result<(Tensor, Form), FileError> {
        let form = self.form(tensor, &weight.shape, is_scaled, source)?;
        let mut output = weight.clone();
        if let Form::Codes(storage, _) | Form::Numbers(storage) = &form {
            output.element = Element::Float(storage.clone());
            let framing = self.framing().expect("codes are written in a frame");
            output.dtype = (framing.dtype)(&output.element)
                .ok_or_else(|| self.no_type(&storage.format.to_string(), source))?;
            let count = tensor.bytes.and_then(|_| elements(&output.shape));
            output.bytes = count.and_then(|count| storage.bytes(count));
            if count.is_some() != output.bytes.is_some() {
                return Err(FileError::Data(format!(
                    "{} would exceed 2^64 bits",
                    describe(tensor, source)
                )));
            }
        }
        Ok((output, form))
    }

    /// Refuses an 8- or 4-bit weight whose scale is not known.
    fn check_scale(
        &self,
        tensor: &Tensor,
        scaled: Option<&Scaled>,
        source: &Source,
    ) -> Result<(), FileError> {
        let is_trusted = self.config.allow_unscaled || Written::of(source).is_unscaled;
        let is_weight = companion::is_described(source.kind)
            && companion::needs_scale(&tensor.element)
            && tensor.bytes != Some(0);
        if scaled.is_some() && self.config.simulate {
            return Err(FileError::Usage(format!(
                "{} has scales, which --simulate cannot keep",
                describe(tensor, source)
            )));
        }
        if is_weight && scaled.is_none() && !is_trusted {
            return Err(FileError::Data(format!(
                "{} is {} without a scale that is recognised: its numbers may be wrong by a large \
                 factor; --allow-unscaled takes the codes as they are",
                describe(tensor, source),
                tensor.dtype
            )));
        }
        Ok(())
    }

    /// Returns what is written for a converted tensor.
    fn form(
        &self,
        tensor: &Tensor,
        shape: &[u64],
        is_scaled: bool,
        source: &Source,
    ) -> Result<Form, FileError> {
        let target = &self.config.target.format;
        if let Writing::Text(separator) = self.kind.writing {
            let columns = if shape.len() < 2 { 1 } else { shape[shape.len() - 1] };
            let own = tensor.element.storage().map(|own| &own.format);
            let format = match own.or(self.config.from.as_ref()) {
                Some(own) if is_scaled => own,
                None if is_scaled => &F32,
                _ => target,
            };
            return Ok(Form::Text(columns.max(1), separator, format.clone()));
        }
        if self.config.simulate {
            let own = tensor.element.storage().cloned();
            let own = own.map(|own| self.storage(Storage::new(&own.format)));
            return own.map(Form::Numbers).ok_or_else(|| {
                FileError::Usage(format!(
                    "--simulate keeps the element type, which {} has not",
                    show(&source.path)
                ))
            });
        }
        if *target == TF32 {
            return Ok(Form::Numbers(self.storage(Storage::new(&F32))));
        }
        let storage = self.storage(Storage::new(target));
        let span = Span::Bits(storage.bits());
        Ok(Form::Codes(storage, span))
    }

    /// Returns storage with the packing of the output's kind.
    pub(super) fn storage(&self, storage: Storage) -> Storage {
        let packing = self.framing().and_then(|framing| framing.packing);
        storage.with_packing(packing.unwrap_or(self.config.packing))
    }

    pub(super) fn no_type(&self, format: &str, source: &Source) -> FileError {
        FileError::Usage(format!(
            "{}: {} has no type for {format}: add --simulate to keep the element type, or write raw \
             elements (--output-kind raw)",
            show(&source.path),
            self.kind.name
        ))
    }

    /// Returns how a weight is to be scaled.
    fn scaling(&self, weight: &Tensor, source: &Source) -> Result<Option<Scaling>, FileError> {
        let target = &self.config.target;
        // Nothing has no largest magnitude, but it may have no blocks.
        let has_blocks = matches!(target.scaling, spec::Scaling::Block(_));
        if target.is_plain() || weight.bytes == Some(0) && !has_blocks {
            return Ok(None);
        }
        if !self.config.simulate && !companion::is_described(self.kind) {
            return Err(FileError::Usage(format!(
                "{}: {target} has scales, which safetensors and folders hold and {} does not: name \
                 such an output, or add --simulate",
                show(&source.path),
                self.kind.name
            )));
        }
        if weight.bytes.is_none() {
            return Err(FileError::Usage(format!(
                "{}: the scales of {target} are found by reading twice, which a stream does not allow",
                describe(weight, source)
            )));
        }
        let layout = (weight.shape.as_slice(), weight.order);
        let scaling = Scaling::new(target, &self.config.projection, layout);
        scaling
            .map(Some)
            .map_err(|error| FileError::Usage(format!("{}: {error}", describe(weight, source))))
    }

    fn check_order(&self, output: &Tensor, source: &Source) -> Result<(), FileError> {
        let keeps = self.framing().is_some_and(|framing| framing.fortran);
        if output.order == Order::Fortran && !keeps {
            return Err(FileError::Usage(format!(
                "{} is in Fortran order, which only npy and npz hold",
                describe(output, source)
            )));
        }
        Ok(())
    }
}

/// Names a tensor for people, with its file.
pub(super) fn describe(tensor: &Tensor, source: &Source) -> String {
    if tensor.name.is_empty() {
        return show(&source.path);
    }
    format!("{}: tensor {}", show(&source.path), quote(&tensor.name))
}
