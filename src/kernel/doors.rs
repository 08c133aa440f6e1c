//! A job goes to the loops compiled for the instruction set in use.

use super::codes::CodesRef;
use super::instruction_set::InstructionSet;
use super::scaled::{Form, Part, Room, largest, quotient};
use super::slice::{self, Sink, Source};
use super::{Counts, Dither, Plan, Real, instruction_set};

/// Compiles a function of another module for each instruction set: the source is the same, the
/// registers are wider. The set is one that was found on this machine.
macro_rules! door {
    ($(#[$doc:meta])* $module:ident::$name:ident $(<$real:ident>)? ($($argument:ident: $type:ty),*)
        -> $result:ty, $set:expr) => {
        $(#[$doc])*
        #[expect(unsafe_code, reason = "calls of #[target_feature] functions, after detection")]
        pub(super) fn $name $(<$real: Real>)? ($($argument: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
            fn avx512 $(<$real: Real>)? ($($argument: $type),*) -> $result {
                $module::$name($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,f16c")]
            fn avx2 $(<$real: Real>)? ($($argument: $type),*) -> $result {
                $module::$name($($argument),*)
            }
            match $set {
                // SAFETY: the set was found on this machine: see `Plan::instruction_set` and
                // `instruction_set`.
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2 => unsafe { avx2($($argument),*) },
                _ => $module::$name($($argument),*),
            }
        }
    };
}

door! {
    /// Projects each number of `source`.
    slice::project(plan: &Plan, source: Source<'_>, sink: Sink<'_>, dither: Dither) -> Counts,
    plan.instruction_set()
}

door! {
    /// Decodes each code.
    slice::decode(plan: &Plan, codes: CodesRef<'_>, numbers: &mut [f32]) -> (),
    plan.instruction_set()
}

door! {
    /// Raises the largest magnitudes of runs.
    largest::raise<R>(source: &[R], size: usize, largest: &mut [f64], finite: bool) -> (),
    instruction_set().unwrap_or(InstructionSet::Baseline)
}

door! {
    /// Divides each number by its scale.
    quotient::divide<R>(plan: &Plan, source: &[R], part: Part<'_>, room: &mut Room)
        -> Option<(Form, Counts)>,
    plan.instruction_set()
}

door! {
    /// Multiplies each number by its scale.
    quotient::multiply<R>(plan: &Plan, part: Part<'_>, room: &mut Room, products: &mut [R]) -> bool,
    plan.instruction_set()
}
