//! What is written of each tensor: its name, element type, shape and bytes.

use super::{
    FileError,
    plan::{Action, Conversion, Job, Planner, Why, is_described, says_unscaled},
    store::Form,
};
use crate::{
    block::{grouping::Grouping, spec::Scaling},
    container::{
        Element, Framing, Holds, Order, Source, Storage, Tensor, Writing,
        companion::{self, Scaled},
        elements, quote, show,
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
        let shape = scaled.as_ref().map_or(&tensor.shape, |scaled| &scaled.shape).clone();
        let name = scaled.as_ref().map_or(&tensor.name, |scaled| &scaled.name);
        let name = self.output_name(name, source);
        let form = self.form(tensor, &shape, source)?;
        let mut output = Tensor { name, shape, ..tensor.clone() };
        if let Form::Codes(storage) | Form::Numbers(storage) = &form {
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
        self.check_order(&output, source)?;
        let grouping = self.grouping(&output, source)?;
        let mut outputs = vec![output];
        if let (Some(grouping), Form::Codes(_)) = (&grouping, &form) {
            outputs.push(self.scales(&outputs[0], grouping));
        }
        let conversion = Conversion { scaled, form, grouping };
        let action = Action::Convert(Box::new(conversion));
        Ok(Job { tensor: number, action, has_scales: false, outputs })
    }

    /// Refuses an 8- or 4-bit weight whose scale is not known.
    fn check_scale(
        &self,
        tensor: &Tensor,
        scaled: Option<&Scaled>,
        source: &Source,
    ) -> Result<(), FileError> {
        let is_trusted = self.config.allow_unscaled || says_unscaled(source);
        let is_weight = is_described(source.kind) && companion::needs_scale(&tensor.element);
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
    fn form(&self, tensor: &Tensor, shape: &[u64], source: &Source) -> Result<Form, FileError> {
        let target = &self.config.target.format;
        if let Writing::Text(separator) = self.kind.writing {
            let columns = if shape.len() < 2 { 1 } else { shape[shape.len() - 1] };
            return Ok(Form::Text(columns.max(1), separator));
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
        Ok(Form::Codes(self.storage(Storage::new(target))))
    }

    /// Returns storage with the packing of the output's kind.
    fn storage(&self, storage: Storage) -> Storage {
        let packing = self.framing().and_then(|framing| framing.packing);
        storage.with_packing(packing.unwrap_or(self.config.packing))
    }

    fn no_type(&self, format: &str, source: &Source) -> FileError {
        FileError::Usage(format!(
            "{}: {} has no type for {format}: add --simulate to keep the element type, or write raw \
             elements (--output-kind raw)",
            show(&source.path),
            self.kind.name
        ))
    }

    /// Returns which elements are to share a scale.
    fn grouping(&self, output: &Tensor, source: &Source) -> Result<Option<Grouping>, FileError> {
        let scaling = &self.config.target.scaling;
        if output.bytes == Some(0) || *scaling == Scaling::Plain {
            return Ok(None);
        }
        if matches!(scaling, Scaling::Block(_)) {
            let target = &self.config.target;
            return Err(FileError::Usage(format!("{target} is not written to files")));
        }
        let can_hold = self.config.simulate || is_described(self.kind);
        if !can_hold || output.bytes.is_none() || output.order == Order::Fortran {
            return Err(FileError::Usage(format!(
                "{}: scales are written to safetensors and folders, not to {}: name such an output, \
                 or add --simulate",
                show(&source.path),
                self.kind.name
            )));
        }
        let grouping = Grouping::of(scaling, &output.shape).ok_or_else(|| {
            let name = quote(&output.name);
            FileError::Usage(format!(
                "tensor {name} does not have the axis of {}",
                self.config.target
            ))
        })?;
        Ok(Some(grouping))
    }

    /// Returns the tensor of scales beside a weight.
    fn scales(&self, weight: &Tensor, grouping: &Grouping) -> Tensor {
        let storage = Storage::new(&F32);
        let shape = grouping.scale_shape().to_vec();
        let framing = self.framing().expect("scales are written in a frame");
        let bytes = elements(&shape).and_then(|count| storage.bytes(count));
        let element = Element::Float(storage);
        let suffix = match self.config.target.scaling {
            Scaling::Tile { .. } => "_scale_inv",
            Scaling::Plain | Scaling::Tensor | Scaling::Channel | Scaling::Block(_) => "_scale",
        };
        Tensor {
            name: format!("{}{suffix}", weight.name),
            dtype: (framing.dtype)(&element).unwrap_or_default(),
            element,
            shape,
            order: Order::C,
            offset: 0,
            bytes,
        }
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
fn describe(tensor: &Tensor, source: &Source) -> String {
    if tensor.name.is_empty() {
        return show(&source.path);
    }
    format!("{}: tensor {}", show(&source.path), quote(&tensor.name))
}
