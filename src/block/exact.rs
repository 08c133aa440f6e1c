//! A few data become scales and elements, each with everything that is to be shown of it.

use super::{
    quantizer::{BlockError, Quantizer},
    rows::Coding,
    segment::index,
};
use crate::{
    codec::{Flags, Kind, Projected, Unpacked, decode, project_over},
    kernel::Real,
    random::Stream,
};

/// A row of data, quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The scale of the whole row; 1 where the target has none.
    pub tensor_scale: f32,
    /// The scales.
    pub scales: Vec<Scale>,
    /// The elements, one a datum.
    pub elements: Vec<Element>,
}

/// A scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Its code, in [`Quantizer::scale_format`].
    pub code: u32,
    /// What elements are multiplied by: the scale of the whole row included, exactly.
    pub value: Unpacked,
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// Which scale it has.
    pub scale: usize,
    /// The datum over the scale.
    pub quotient: Unpacked,
    /// Its code in [`Quantizer::element`].
    pub code: u128,
    /// The code as it is stored.
    pub stored: u128,
    /// The exceptions of rounding the quotient.
    pub flags: Flags,
    /// What it is read back as: code times scale, rounded once to binary32.
    pub number: f32,
}

impl Quantizer {
    /// Quantises a row of data, each rounded once from its exact value; datum `i` draws
    /// `stream.bits(i)`.
    ///
    /// # Errors
    ///
    /// [`BlockError::Axis`], if blocks lie along an axis that a row does not have.
    ///
    /// ```
    /// use fpx::block::{Quantizer, Spec};
    /// use fpx::{codec::{Projection, Unpacked}, random::Stream};
    /// let spec: Spec = "mxfp4".parse().unwrap();
    /// let quantizer = Quantizer::new(&spec, &Projection::default()).unwrap();
    /// let data = [0.3, 6.0].map(Unpacked::from_f64);
    /// let row = quantizer.row(&data, Stream::new(0, 0)).unwrap();
    /// assert_eq!((row.scales[0].code, row.elements[0].number), (127, 0.5));
    /// ```
    pub fn row(&self, data: &[Unpacked], stream: Stream) -> Result<Row, BlockError> {
        let grouping = self.grouping(&[data.len() as u64])?;
        let place = |i: usize| index(grouping.scale_of(i as u64));
        let zero = Unpacked::zero(false);
        let larger = |a: Unpacked, b: Unpacked| if b.cmp_magnitude(&a).is_gt() { b } else { a };
        let finite = || data.iter().filter(|x| x.is_finite()).map(Unpacked::magnitude);
        let tensor_scale = self.scaler.tensor_scale(&finite().fold(zero, larger));
        let mut largest = vec![zero; if data.is_empty() { 0 } else { place(data.len() - 1) + 1 }];
        for (i, x) in data.iter().enumerate() {
            let largest = &mut largest[place(i)];
            if x.is_finite() && largest.is_finite() {
                *largest = larger(*largest, x.magnitude());
            } else if !x.is_finite() && self.scaler.is_spoiled() {
                *largest = *x;
            }
        }
        let scales: Vec<Scale> = largest
            .iter()
            .map(|largest| {
                let code = self.scaler.code(largest, tensor_scale);
                Scale { code, value: self.scaler.value(code, tensor_scale) }
            })
            .collect();
        let element = |(i, x): (usize, &Unpacked)| {
            let scale = place(i);
            self.element_of(x, scale, &scales[scale].value, stream.bits(i as u64))
        };
        let elements = data.iter().enumerate().map(element).collect();
        Ok(Row { tensor_scale, scales, elements })
    }

    #[expect(clippy::cast_possible_truncation, reason = "elements have at most 64 bits")]
    fn element_of(&self, x: &Unpacked, place: usize, scale: &Unpacked, random: u32) -> Element {
        let projection = self.projection().with_random(random);
        let Projected { code, flags } = project_over(self.element(), &projection, x, scale);
        let is_nan = scale.kind == Kind::Nan;
        let number = if is_nan {
            f32::NAN
        } else {
            f32::nearest(&decode(self.element(), code).times(scale))
        };
        let stored = match self.coding() {
            Coding::Format => code,
            Coding::TwosComplement => self.to_twos_complement(code as u64).into(),
        };
        Element { scale: place, quotient: x.over(scale), code, stored, flags, number }
    }
}
