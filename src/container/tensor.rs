//! What a header says of a tensor: name, element, shape, and where its bytes are.

use crate::format::{self, Format};

/// How codes narrower than a byte lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Packing {
    /// 6- and 4-bit codes follow each other without gaps, the first in the low bits.
    #[default]
    Dense,
    /// One code a byte, in its low bits.
    Byte,
}

/// In which order the bytes of an element come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

/// In which order the elements of an array come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The last index runs fastest.
    #[default]
    C,
    /// The first index runs fastest.
    Fortran,
}

/// How floating-point codes lie in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The format of the codes.
    pub format: Format,
    /// Whether narrow codes are packed.
    pub packing: Packing,
    /// The order of an element's bytes.
    pub endian: Endian,
}

impl Storage {
    /// Returns little-endian storage of a format, packed densely.
    ///
    /// A tf32 is held as the f32 of the same value, as hardware holds it: reading gives f32 codes.
    pub fn new(format: &Format) -> Self {
        let format = if *format == format::catalogue::TF32 { &format::F32 } else { format };
        Self { format: format.clone(), packing: Packing::Dense, endian: Endian::Little }
    }

    /// Returns the same with another packing, if codes are narrow enough to have one.
    #[must_use]
    pub fn with_packing(self, packing: Packing) -> Self {
        if self.is_narrow() { Self { packing, ..self } } else { self }
    }

    fn is_narrow(&self) -> bool {
        matches!(self.format.width(), 4 | 6)
    }

    /// Whether codes are packed with no regard to bytes.
    pub fn is_dense(&self) -> bool {
        self.packing == Packing::Dense && self.is_narrow()
    }

    /// Returns the bits from one element to the next.
    pub fn bits(&self) -> u64 {
        if self.is_dense() {
            u64::from(self.format.width())
        } else {
            8 * self.format.storage_bytes() as u64
        }
    }

    /// Returns the bytes that hold `elements` elements; the last may be filled up with zero bits.
    pub fn bytes(&self, elements: u64) -> Option<u64> {
        elements.checked_mul(self.bits()).map(|bits| bits.div_ceil(8))
    }
}

/// An integer type, which is copied and never converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer {
    /// NumPy's kind: `b` for truth values, `i` and `u` for integers with and without a sign.
    pub kind: char,
    /// Bytes of an element.
    pub bytes: u64,
}

/// Blocks of 4-bit codes with their scales before them, as GGUF has them. The codes of each scale
/// are in two halves: the first in the low bits of its bytes, the second in the high bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Elements of a block.
    pub elements: u64,
    /// Elements of a scale.
    pub scaled: u64,
    /// The format of the scales, one byte each, used without sign.
    pub scale: Format,
}

impl Blocks {
    /// Returns the scales of a block.
    pub fn scales(&self) -> u64 {
        self.elements / self.scaled
    }

    /// Returns the bytes of a block.
    pub fn bytes(&self) -> u64 {
        self.scales() + self.elements / 2
    }
}

/// What the elements of a tensor are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// Codes of a floating-point format.
    Float(Storage),
    /// Codes of E2M1 with their scales among them.
    Blocks(Blocks),
    /// Numbers as text, exact until rounded.
    Literal,
    /// Truth values or integers.
    Integer(Integer),
    /// Something that only its own kind of file can hold: copied untouched.
    Opaque,
    /// Something that cannot be read, and what could be done about it.
    Unreadable(String),
}

impl Element {
    /// Returns the storage of floating-point elements.
    pub fn storage(&self) -> Option<&Storage> {
        match self {
            Self::Float(storage) => Some(storage),
            Self::Blocks(_)
            | Self::Literal
            | Self::Integer(_)
            | Self::Opaque
            | Self::Unreadable(_) => None,
        }
    }

    /// Returns the bits of an element, where the element says.
    pub fn bits(&self) -> Option<u64> {
        match self {
            Self::Float(storage) => Some(storage.bits()),
            Self::Integer(integer) => Some(8 * integer.bytes),
            Self::Blocks(_) | Self::Literal | Self::Opaque | Self::Unreadable(_) => None,
        }
    }
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name; empty in files that hold one tensor without a name.
    pub name: String,
    /// The element type, as the file spells it.
    pub dtype: String,
    /// The element type, understood.
    pub element: Element,
    /// Its dimensions, outermost first; empty for a scalar, and for a stream of unknown length.
    pub shape: Vec<u64>,
    /// The order of the elements.
    pub order: Order,
    /// Where its first byte is, from the start of the file.
    pub offset: u64,
    /// Its bytes; `None` for a stream, whose length is known at its end.
    pub bytes: Option<u64>,
}

impl Tensor {
    /// Returns the number of elements, where the length is known.
    pub fn elements(&self) -> Option<u64> {
        self.bytes.and(elements(&self.shape))
    }
}

/// Returns the number of elements of a shape, unless it exceeds 64 bits.
pub fn elements(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1u64, |product, &dimension| product.checked_mul(dimension))
}

/// Writes a shape as people read it.
pub fn show_shape(shape: &[u64]) -> String {
    let dimensions: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("[{}]", dimensions.join(", "))
}
