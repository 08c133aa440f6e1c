//! How to round: the modes.
//!
//! A rounding mode answers one question: is the magnitude to move away from zero? It depends on
//! four bits (the sign, whether the kept part is odd, the first dropped bit, and whether any later
//! one is set), so a mode is a table of 16 answers.

/// What is known of the discarded part when a mode decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four bits that index a truth table")]
pub struct Tail {
    /// Whether the number is negative.
    pub negative: bool,
    /// Whether the kept part is odd.
    pub odd: bool,
    /// The first discarded bit: half a quantum.
    pub half: bool,
    /// Whether anything below the first discarded bit is set.
    pub sticky: bool,
}

impl Tail {
    const fn index(self) -> u32 {
        (self.negative as u32) << 3
            | (self.odd as u32) << 2
            | (self.half as u32) << 1
            | self.sticky as u32
    }

    const fn from_index(i: u32) -> Self {
        Self { negative: i & 8 != 0, odd: i & 4 != 0, half: i & 2 != 0, sticky: i & 1 != 0 }
    }

    const fn inexact(self) -> bool {
        self.half || self.sticky
    }
}

/// A rounding mode: one row of [`ROUNDING_MODES`].
#[derive(Debug, PartialEq, Eq)]
pub struct RoundingMode {
    /// The one spelling fpx prints.
    pub name: &'static str,
    /// Other spellings that are read: IEEE 754, P3109, C, LLVM.
    pub aliases: &'static [&'static str],
    /// One line for people.
    pub about: &'static str,
    /// Where the mode is defined.
    pub source: &'static str,
    /// Bit `8·negative + 4·odd + 2·half + sticky` is set where the magnitude moves away from zero.
    pub table: u16,
    /// Which overflows go to infinity rather than to the largest finite value.
    pub overflows: Overflows,
    /// What decides; a stochastic mode reads random bits instead of the table.
    pub decides: Decides,
}

/// The signs whose overflow goes to infinity under a mode (IEEE 754-2019 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflows {
    /// Both signs.
    Both,
    /// Neither.
    Neither,
    /// Positive values only.
    Positive,
    /// Negative values only.
    Negative,
}

/// What a mode looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decides {
    /// The tail, with `odd` taken from the significand, except in formats whose source takes the code's.
    BySignificand,
    /// The tail, with `odd` always taken from the code.
    ByCode,
    /// Random bits beside the discarded fraction.
    ByChance,
}

impl RoundingMode {
    /// Whether the magnitude moves away from zero.
    pub const fn away(&self, tail: Tail) -> bool {
        self.table >> tail.index() & 1 == 1
    }

    /// Whether an overflow of this sign goes to infinity (IEEE 754-2019 §7.4).
    pub const fn overflows_to_infinity(&self, negative: bool) -> bool {
        match self.overflows {
            Overflows::Both => true,
            Overflows::Neither => false,
            Overflows::Positive => !negative,
            Overflows::Negative => negative,
        }
    }

    /// Whether the mode reads random bits.
    pub const fn is_stochastic(&self) -> bool {
        matches!(self.decides, Decides::ByChance)
    }
}

macro_rules! truth_table {
    (|$tail:ident| $away:expr) => {{
        let mut table = 0u16;
        let mut i = 0;
        while i < 16 {
            let $tail = Tail::from_index(i);
            if $away {
                table |= 1 << i;
            }
            i += 1;
        }
        table
    }};
}

macro_rules! rounding_modes {
    ($($(#[$doc:meta])* $constant:ident = $name:literal [$($alias:literal)*] $overflows:ident $decides:ident
        |$tail:ident| $away:expr, $about:literal, $source:literal;)*) => {
        $($(#[$doc])* pub static $constant: RoundingMode = RoundingMode {
            name: $name,
            aliases: &[$($alias),*],
            about: $about,
            source: $source,
            table: truth_table!(|$tail| $away),
            overflows: Overflows::$overflows,
            decides: Decides::$decides,
        };)*
        /// Every rounding mode, in the order they are listed to people.
        pub static ROUNDING_MODES: &[&RoundingMode] = &[$(&$constant),*];
    };
}

rounding_modes! {
    /// To nearest, ties to even.
    RNE = "rne" ["roundtiestoeven" "nearesttiestoeven" "neareven" "tonearest" "fetonearest" "rn"] Both BySignificand
        |t| t.half && (t.sticky || t.odd), "to nearest, ties to even", "IEEE 754-2019 §4.3.1";
    /// To nearest, ties away from zero.
    RNA = "rna" ["roundtiestoaway" "nearesttiestoaway" "nearmaxmag" "rnmm"] Both BySignificand
        |t| t.half, "to nearest, ties away from zero", "IEEE 754-2019 §4.3.1";
    /// Toward zero.
    RTZ = "rtz" ["roundtowardzero" "towardzero" "minmag" "fetowardzero" "truncate" "rz"] Neither BySignificand
        |_t| false, "toward zero: truncation", "IEEE 754-2019 §4.3.2";
    /// Toward positive infinity.
    RUP = "rup" ["roundtowardpositive" "towardpositive" "max" "feupward" "rtp" "rp"] Positive BySignificand
        |t| t.inexact() && !t.negative, "toward positive infinity", "IEEE 754-2019 §4.3.2";
    /// Toward negative infinity.
    RDN = "rdn" ["roundtowardnegative" "towardnegative" "min" "fedownward" "rtn" "rm"] Negative BySignificand
        |t| t.inexact() && t.negative, "toward negative infinity", "IEEE 754-2019 §4.3.2";
    /// To odd: an inexact result has an odd code.
    RTO = "rto" ["roundtoodd" "toodd" "odd" "jam"] Neither ByCode
        |t| t.inexact() && !t.odd, "to odd: an inexact result is the neighbour with the odd code", "P3109 4.0 §4.2";
    /// Stochastic: away from zero with the probability of the discarded fraction.
    SR = "sr" ["stochastic" "stochasticb"] Both ByChance
        |_t| false, "stochastic, with N random bits (sr:N, default 32)", "P3109 4.0 §4.2, StochasticB";
}

/// A rounding: a mode, and for the stochastic one how many random bits it compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// The mode.
    pub mode: &'static RoundingMode,
    /// Random bits of stochastic rounding, 1 to 32; 0 for every other mode.
    pub random_bits: u32,
}

/// Random bits that `sr` without a number compares.
const DEFAULT_RANDOM_BITS: u32 = 32;

impl Rounding {
    /// Returns the rounding of a deterministic mode, or of [`SR`] with its default bits.
    pub fn new(mode: &'static RoundingMode) -> Self {
        Self { mode, random_bits: if mode.is_stochastic() { DEFAULT_RANDOM_BITS } else { 0 } }
    }

    /// Returns stochastic rounding with `random_bits` of 1 to 32.
    ///
    /// # Panics
    ///
    /// If `random_bits` is outside that range.
    pub fn stochastic(random_bits: u32) -> Self {
        assert!((1..=32).contains(&random_bits), "sr takes 1 to 32 random bits");
        Self { mode: &SR, random_bits }
    }
}

impl std::fmt::Display for Rounding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.mode.name)?;
        if self.mode.is_stochastic() && self.random_bits != DEFAULT_RANDOM_BITS {
            write!(f, ":{}", self.random_bits)?;
        }
        Ok(())
    }
}

/// Why a rounding's name was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundingError {
    /// No mode has this name.
    #[error("unknown rounding '{0}': expected rne, rna, rtz, rup, rdn, rto or sr[:BITS]")]
    Unknown(String),
    /// The number of random bits is missing, malformed or out of range, or the mode takes none.
    #[error("rounding '{0}': only sr takes a number of random bits, 1 to 32")]
    Bits(String),
}

impl std::str::FromStr for Rounding {
    type Err = RoundingError;

    fn from_str(text: &str) -> Result<Self, RoundingError> {
        let folded: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | '_' | ' '))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let (name, bits) = match folded.split_once(':') {
            Some((name, bits)) => (name, Some(bits)),
            None => (folded.as_str(), None),
        };
        let mode = ROUNDING_MODES
            .iter()
            .find(|mode| mode.name == name || mode.aliases.contains(&name))
            .ok_or_else(|| RoundingError::Unknown(text.to_owned()))?;
        match bits {
            None => Ok(Self::new(mode)),
            Some(bits) => match bits.parse() {
                Ok(bits @ 1..=32) if mode.is_stochastic() => Ok(Self::stochastic(bits)),
                _ => Err(RoundingError::Bits(text.to_owned())),
            },
        }
    }
}
