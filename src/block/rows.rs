//! The tables of block formats and of scale rules.

use crate::{
    codec::decode,
    format::{Format, catalogue as c},
};

/// How the scale of a block is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScaleKind {
    /// A power of two a block (OCP MX 1.0 §5.4.1).
    E8m0,
    /// An E4M3 number a block, used unsigned, and one float32 a tensor.
    Nv,
}

/// How the codes of elements are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As codes of the element's format.
    Format,
    /// As two's complement multiples of the format's quantum, which is the same for all its numbers.
    TwosComplement,
}

/// A named block format.
#[derive(Debug)]
pub struct BlockRow {
    /// The one spelling fpx prints.
    pub name: &'static str,
    /// Other spellings that are read, folded as format names are.
    pub aliases: &'static [&'static str],
    /// The element's format.
    pub element: &'static Format,
    /// How its codes are stored.
    pub coding: Coding,
    /// The scale.
    pub scale: ScaleKind,
    /// Elements a block.
    pub size: usize,
    /// What the format is for, in one line.
    pub good_for: &'static str,
    /// Where it hurts, in one line.
    pub weak_at: &'static str,
    /// The document that defines it.
    pub source: &'static str,
}

macro_rules! blocks {
    ($($name:literal $element:ident $coding:ident $scale:ident $size:literal [$($alias:literal)*]
        $good_for:literal / $weak_at:literal / $source:literal;)*) => {
        /// Every named block format.
        pub static BLOCKS: &[BlockRow] = &[$(BlockRow {
            name: $name,
            aliases: &[$($alias),*],
            element: &c::$element,
            coding: Coding::$coding,
            scale: ScaleKind::$scale,
            size: $size,
            good_for: $good_for,
            weak_at: $weak_at,
            source: $source,
        }),*];
    };
}

blocks! {
    "mxfp8_e4m3" E4M3FN Format E8m0 32 ["mxfp8" "mxfp8e4m3"]
        "8-bit training and inference with hardware block scales"
        / "the floor rule saturates block maxima; 8.25 bits an element" / "OCP MX 1.0 §5";
    "mxfp8_e5m2" E5M2 Format E8m0 32 ["mxfp8e5m2"]
        "gradients with more range inside a block"
        / "3 significand bits, where the block scale already gives range" / "OCP MX 1.0 §5";
    "mxfp6_e3m2" E3M2FN Format E8m0 32 ["mxfp6e3m2"]
        "6-bit training of weights, activations and gradients"
        / "6-bit codes are awkward to pack" / "OCP MX 1.0 §5";
    "mxfp6_e2m3" E2M3FN Format E8m0 32 ["mxfp6" "mxfp6e2m3"]
        "6-bit inference"
        / "6-bit codes are awkward to pack" / "OCP MX 1.0 §5";
    "mxfp4" E2M1FN Format E8m0 32 ["mxfp4e2m1"]
        "4-bit weights: 4.25 bits an element"
        / "power-of-two scales waste up to half of the element's range" / "OCP MX 1.0 §5";
    "mxint8" INT8_SIXTY_FOURTHS TwosComplement E8m0 32 []
        "8-bit inference of blocks without outliers"
        / "a uniform grid: small elements beside a large one lose precision" / "OCP MX 1.0 §5";
    "nvfp4" E2M1FN Format Nv 16 []
        "4-bit weights and training: finer scales than mxfp4"
        / "4.5 bits an element, two levels of scale to keep" / "NVIDIA NVFP4, arXiv 2509.25149";
}

/// How the exponent of an E8M0 scale follows from a block's largest magnitude.
///
/// With `amax = f·2^e`, `1 ≤ f < 2`, and `emax` the exponent of the element's largest number, every
/// rule gives the exponent `e − emax`, or one more where `f` is above a threshold.
#[derive(Debug)]
pub struct ScaleRule {
    /// The one spelling.
    pub name: &'static str,
    /// Returns the threshold for an element's format, with the 127 fraction bits of
    /// [`Unpacked`](crate::codec::Unpacked).
    pub threshold: fn(&Format) -> u128,
    /// One line for people.
    pub about: &'static str,
    /// Where it is defined.
    pub source: &'static str,
}

/// Every scale rule, the default first.
pub static SCALE_RULES: &[ScaleRule] = &[
    ScaleRule {
        name: "floor",
        threshold: |_| u128::MAX,
        about: "floor(log2 amax) - emax: block maxima may saturate",
        source: "OCP MX 1.0 §6.3",
    },
    ScaleRule {
        name: "rceil",
        threshold: |element| decode(element, element.largest_finite()).significand,
        about: "ceil(log2(amax / largest)): the least scale under which nothing saturates",
        source: "cuBLAS, Transformer Engine; arXiv 2506.08027",
    },
    ScaleRule {
        name: "ceil",
        threshold: |_| 1 << 127,
        about: "ceil(log2 amax) - emax: nothing saturates, up to one bit is wasted",
        source: "torchao",
    },
    ScaleRule {
        name: "even",
        // Half a quantum below the next power of two rounds up to it.
        threshold: |element| u128::MAX - (1 << (126 - element.trailing_width())),
        about: "floor of amax rounded to the element's precision, half up",
        source: "torchao",
    },
];
