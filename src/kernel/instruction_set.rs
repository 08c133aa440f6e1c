//! The machine and the environment become the instruction set that the kernels use.

use std::sync::OnceLock;

/// The environment variable that forces an instruction set.
const VARIABLE: &str = "FPX_SIMD";

/// A set of vector instructions that the kernels are compiled for. The results are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// What every machine of the architecture has.
    Baseline,
    /// 256-bit registers: AVX2 and F16C of x86-64.
    Avx2,
    /// 512-bit registers: AVX-512 F, BW, DQ and VL beside AVX2 and F16C.
    Avx512,
}

/// Compiles a function for each instruction set; the source is the same, the registers are wider.
/// Calls go to the one in use, or to the one after `on`, which must have been found on this machine.
macro_rules! compiled {
    ($(#[$doc:meta])* $vis:vis fn $name:ident $(<$($T:ident: $Bound:ident),+>)?
        ($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block) => {
        compiled! {
            on $crate::kernel::instruction_set().unwrap_or($crate::kernel::InstructionSet::Baseline);
            $(#[$doc])*
            $vis fn $name $(<$($T: $Bound),+>)? ($($argument: $type),*) $(-> $result)? $body
        }
    };
    (on $set:expr; $(#[$doc:meta])* $vis:vis fn $name:ident $(<$($T:ident: $Bound:ident),+>)?
        ($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "calls of #[target_feature] functions, after detection")
        )]
        $vis fn $name $(<$($T: $Bound),+>)? ($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable $(<$($T: $Bound),+>)? ($($argument: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
            fn avx512 $(<$($T: $Bound),+>)? ($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,f16c")]
            fn avx2 $(<$($T: $Bound),+>)? ($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }
            match $set {
                // SAFETY: the instruction set was found on this machine.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::InstructionSet::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::InstructionSet::Avx2 => unsafe { avx2($($argument),*) },
                _ => portable($($argument),*),
            }
        }
    };
}
pub(super) use compiled;

/// Why an instruction set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstructionSetError {
    /// No instruction set has the name.
    #[error("unknown instruction set '{0}' in {VARIABLE}: expected baseline, avx2 or avx512")]
    Unknown(String),
    /// This machine does not have it.
    #[error("this machine has no {0}: expected one of {found}", found = found())]
    Missing(&'static str),
}

fn found() -> String {
    let names: Vec<_> = InstructionSet::found().map(InstructionSet::name).collect();
    names.join(", ")
}

impl InstructionSet {
    /// Every instruction set that the kernels are compiled for, the narrowest first.
    pub const COMPILED: &'static [Self] = if cfg!(target_arch = "x86_64") {
        &[Self::Baseline, Self::Avx2, Self::Avx512]
    } else {
        &[Self::Baseline]
    };

    /// Returns the name, as the environment variable spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Returns those of [`COMPILED`](Self::COMPILED) that this machine has.
    pub fn found() -> impl Iterator<Item = Self> {
        Self::COMPILED.iter().copied().filter(|set| set.is_found())
    }

    #[cfg(target_arch = "x86_64")]
    fn is_found(self) -> bool {
        macro_rules! all {
            ($($feature:tt)*) => { true $(&& is_x86_feature_detected!($feature))* };
        }
        let has_avx2 = all!("avx2" "f16c");
        match self {
            Self::Baseline => true,
            Self::Avx2 => has_avx2,
            Self::Avx512 => has_avx2 && all!("avx512f" "avx512bw" "avx512dq" "avx512vl"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_found(self) -> bool {
        self == Self::Baseline
    }

    /// Returns the set if this machine has it.
    pub(super) fn check(self) -> Result<Self, InstructionSetError> {
        if self.is_found() { Ok(self) } else { Err(InstructionSetError::Missing(self.name())) }
    }
}

/// Returns the instruction set in use: the widest this machine has, or the one that the environment
/// variable `FPX_SIMD` names. Machine and environment are looked at once.
///
/// # Errors
///
/// If the variable names no instruction set, or one that this machine lacks. The kernels then use
/// the baseline.
///
/// ```
/// let set = fpx::kernel::instruction_set().unwrap();
/// assert!(fpx::kernel::InstructionSet::found().any(|found| found == set));
/// ```
pub fn instruction_set() -> Result<InstructionSet, InstructionSetError> {
    static ACTIVE: OnceLock<Result<InstructionSet, InstructionSetError>> = OnceLock::new();
    ACTIVE.get_or_init(|| select(std::env::var_os(VARIABLE).as_deref())).clone()
}

fn select(forced: Option<&std::ffi::OsStr>) -> Result<InstructionSet, InstructionSetError> {
    let Some(forced) = forced else {
        return Ok(InstructionSet::found().last().unwrap_or(InstructionSet::Baseline));
    };
    let named = [InstructionSet::Baseline, InstructionSet::Avx2, InstructionSet::Avx512]
        .into_iter()
        .find(|set| *forced == *set.name());
    named
        .ok_or_else(|| InstructionSetError::Unknown(forced.to_string_lossy().into_owned()))?
        .check()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_forces_a_set_and_refuses_what_it_does_not_know() {
        assert_eq!(select(Some("baseline".as_ref())), Ok(InstructionSet::Baseline));
        assert_eq!(
            select(Some("avx9".as_ref())).unwrap_err().to_string(),
            "unknown instruction set 'avx9' in FPX_SIMD: expected baseline, avx2 or avx512"
        );
        let widest = InstructionSet::found().last().unwrap();
        assert_eq!(select(None), Ok(widest));
    }
}
