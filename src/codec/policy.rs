//! What to do at the edges: the policies, and [`Projection`], all of them with the rounding mode.

use super::rounding::{RNE, Rounding, RoundingMode};

/// Declares a policy enum whose variants each have one name and one line of help.
macro_rules! policy {
    ($(#[$doc:meta])* $policy:ident { $($(#[$about:meta])* $variant:ident = $name:literal, $line:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $policy { $($(#[$about])* #[doc = $line] $variant),* }

        impl $policy {
            /// Every value, the default first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the one spelling of this value.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Returns one line for people.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $line),* }
            }
        }

        impl std::fmt::Display for $policy {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

policy! {
    /// What becomes of a rounded value beyond the largest finite one, and of an infinite input.
    Overflow {
        #[default]
        Ieee = "ieee", "by rounding direction, to infinity, else NaN, else the largest finite value (IEEE 754-2019 §7.4)";
        Saturate = "saturate", "overflow and infinity become the largest finite value (OFP8 saturating, P3109 SatFinite)";
        SaturateFinite = "saturate-finite", "overflow becomes the largest finite value, an infinity stays one (P3109 SatPropagate)";
    }
}

policy! {
    /// What a NaN input becomes in a format that has NaNs.
    NanPolicy {
        #[default]
        Keep = "keep", "quiet, the sign and the leading payload bits kept (IEEE 754-2019 §6.2.3)";
        Canonical = "canonical", "the format's one quiet NaN, as RISC-V does";
    }
}

policy! {
    /// What a NaN input becomes in a format that has none.
    NanTo {
        #[default]
        Error = "error", "refused, with its position";
        Zero = "zero", "zero, raising invalid";
        Max = "max", "the largest finite value with the NaN's sign, raising invalid";
    }
}

policy! {
    /// What becomes of a result that is subnormal in the target.
    Subnormals {
        #[default]
        Keep = "keep", "gradual underflow (IEEE 754-2019 §7.5)";
        Flush = "flush", "zero of its sign, raising underflow and inexact";
    }
}

policy! {
    /// When a result counts as tiny for the underflow flag (IEEE 754-2019 §7.5).
    Tininess {
        #[default]
        After = "after", "tested on the value rounded with unbounded exponent, as x86 and RISC-V do";
        Before = "before", "tested on the exact value, as Arm does";
    }
}

/// Everything that decides what a rounding gives, but the format.
///
/// ```
/// use fpx::codec::{Overflow, Projection};
/// let saturating = Projection { overflow: Overflow::Saturate, ..Projection::default() };
/// assert_eq!(saturating.rounding.to_string(), "rne");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The rounding mode.
    pub rounding: Rounding,
    /// Overflow and infinities.
    pub overflow: Overflow,
    /// NaNs where the format has them.
    pub nan: NanPolicy,
    /// NaNs where it has none.
    pub nan_to: NanTo,
    /// Subnormal results.
    pub subnormals: Subnormals,
    /// The underflow flag.
    pub tininess: Tininess,
    /// The random bits of this one rounding, read by stochastic rounding from the low end.
    pub random: u32,
}

impl Default for Projection {
    fn default() -> Self {
        Self {
            rounding: Rounding::new(&RNE),
            overflow: Overflow::default(),
            nan: NanPolicy::default(),
            nan_to: NanTo::default(),
            subnormals: Subnormals::default(),
            tininess: Tininess::default(),
            random: 0,
        }
    }
}

impl Projection {
    /// Returns the default policies with another rounding mode.
    pub fn with_mode(mode: &'static RoundingMode) -> Self {
        Self { rounding: Rounding::new(mode), ..Self::default() }
    }

    /// Returns the same policies with the random bits of one stochastic rounding.
    #[must_use]
    pub const fn with_random(self, random: u32) -> Self {
        Self { random, ..self }
    }
}

impl std::fmt::Display for Projection {
    /// Writes the mode and the overflow policy in words, and the other policies where they differ
    /// from the default.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mode = self.rounding.mode;
        if mode.is_stochastic() {
            write!(f, "stochastic with {} random bits", self.rounding.random_bits)?;
        } else {
            f.write_str(mode.about)?;
        }
        write!(f, "; overflow {}", self.overflow)?;
        let usual = Self::default();
        for (name, value, default) in [
            ("nan", self.nan.name(), usual.nan.name()),
            ("nan-to", self.nan_to.name(), usual.nan_to.name()),
            ("subnormals", self.subnormals.name(), usual.subnormals.name()),
            ("tininess", self.tininess.name(), usual.tininess.name()),
        ] {
            if value != default {
                write!(f, "; {name} {value}")?;
            }
        }
        Ok(())
    }
}
