//! The tables of block formats and of scale rules.

use crate::format::{Format, catalogue as c};

/// How the scale of a block is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScaleKind {
    /// A power of two a block (OCP MX 1.0 §5.4.1).
    E8m0,
    /// An E4M3 number a block, used unsigned, and one float32 a tensor.
    Nv,
}

/// A named block format.
#[derive(Debug)]
pub struct BlockRow {
    /// The one spelling fpx prints.
    pub name: &'static str,
    /// Other spellings that are read, folded as format names are.
    pub aliases: &'static [&'static str],
    /// The element's format; [`MXINT8_ELEMENT`] stands for the two's complement integers.
    pub element: &'static Format,
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

/// The numbers of MXINT8's elements, k/64 with |k| ≤ 127, as a sign-magnitude format. Files hold
/// them in two's complement; −2 is left unused, as OCP MX 1.0 §5.3.4 allows.
pub static MXINT8_ELEMENT: &Format = &c::INT8_SIXTY_FOURTHS;

macro_rules! blocks {
    ($($name:literal $element:ident $scale:ident $size:literal [$($alias:literal)*]
        $good_for:literal / $weak_at:literal / $source:literal;)*) => {
        /// Every named block format.
        pub static BLOCKS: &[BlockRow] = &[$(BlockRow {
            name: $name,
            aliases: &[$($alias),*],
            element: &c::$element,
            scale: ScaleKind::$scale,
            size: $size,
            good_for: $good_for,
            weak_at: $weak_at,
            source: $source,
        }),*];
    };
}

blocks! {
    "mxfp8_e4m3" E4M3FN E8m0 32 ["mxfp8" "mxfp8e4m3"]
        "8-bit training and inference with hardware block scales"
        / "the floor rule saturates block maxima; 8.25 bits an element" / "OCP MX 1.0 §5";
    "mxfp8_e5m2" E5M2 E8m0 32 ["mxfp8e5m2"]
        "gradients with more range inside a block"
        / "3 significand bits, where the block scale already gives range" / "OCP MX 1.0 §5";
    "mxfp6_e3m2" E3M2FN E8m0 32 ["mxfp6e3m2"]
        "6-bit training of weights, activations and gradients"
        / "6-bit codes are awkward to pack" / "OCP MX 1.0 §5";
    "mxfp6_e2m3" E2M3FN E8m0 32 ["mxfp6" "mxfp6e2m3"]
        "6-bit inference"
        / "6-bit codes are awkward to pack" / "OCP MX 1.0 §5";
    "mxfp4" E2M1FN E8m0 32 ["mxfp4e2m1"]
        "4-bit weights: 4.25 bits an element"
        / "power-of-two scales waste up to half of the element's range" / "OCP MX 1.0 §5";
    "mxint8" INT8_SIXTY_FOURTHS E8m0 32 []
        "8-bit inference of blocks without outliers"
        / "a uniform grid: small elements beside a large one lose precision" / "OCP MX 1.0 §5";
    "nvfp4" E2M1FN Nv 16 []
        "4-bit weights and training: finer scales than mxfp4"
        / "4.5 bits an element, two levels of scale to keep" / "NVIDIA NVFP4, arXiv 2509.25149";
}

/// The row of `NAME/block:N` for an element that is not in the table: generic block floating point.
pub static GENERIC: BlockRow = BlockRow {
    name: "",
    aliases: &[],
    element: &c::E4M3FN,
    scale: ScaleKind::E8m0,
    size: 32,
    good_for: "study: any element under a power-of-two block scale",
    weak_at: "no hardware",
    source: "OCP MX 1.0 §5.1, generalised",
};

/// How the exponent of an E8M0 scale follows from a block's largest magnitude.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScaleRule {
    /// `floor(log2 amax) − emax`.
    #[default]
    Floor,
    /// `ceil(log2(amax / largest))`.
    Rceil,
    /// `ceil(log2 amax) − emax`.
    Ceil,
    /// As floor, after rounding amax to the element's precision, half up.
    Even,
}

/// A scale rule's row.
#[derive(Debug)]
pub struct RuleRow {
    /// The rule.
    pub rule: ScaleRule,
    /// The one spelling.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it is defined.
    pub source: &'static str,
}

/// Every scale rule, the default first.
pub static SCALE_RULES: &[RuleRow] = &[
    RuleRow {
        rule: ScaleRule::Floor,
        name: "floor",
        about: "floor(log2 amax) - emax: block maxima may saturate",
        source: "OCP MX 1.0 §6.3",
    },
    RuleRow {
        rule: ScaleRule::Rceil,
        name: "rceil",
        about: "ceil(log2(amax / largest)): the least scale under which nothing saturates",
        source: "cuBLAS, Transformer Engine; arXiv 2506.08027",
    },
    RuleRow {
        rule: ScaleRule::Ceil,
        name: "ceil",
        about: "ceil(log2 amax) - emax: nothing saturates, up to one bit is wasted",
        source: "torchao",
    },
    RuleRow {
        rule: ScaleRule::Even,
        name: "even",
        about: "floor of amax rounded to the element's precision, half up",
        source: "torchao",
    },
];

impl ScaleRule {
    /// Returns the rule's name.
    pub fn name(self) -> &'static str {
        SCALE_RULES.iter().find(|row| row.rule == self).map_or("", |row| row.name)
    }
}
