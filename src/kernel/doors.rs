//! A job goes to the loops compiled for the plan's instruction set.

use super::codes::{Codes, CodesRef};
use super::instruction_set::InstructionSet;
use super::slice::{Sink, Source};
use super::{Counts, Dither, Plan, direct, slice};

/// Compiles a function for each instruction set: the source is the same, the registers are wider.
macro_rules! door {
    ($(#[$doc:meta])* $name:ident = $room:ident($plan:ident $(, $argument:ident: $type:ty)*) -> $result:ty) => {
        $(#[$doc])*
        #[expect(unsafe_code, reason = "calls of #[target_feature] functions, after detection")]
        pub(super) fn $name($plan: &Plan $(, $argument: $type)*) -> $result {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
            fn avx512($plan: &Plan $(, $argument: $type)*) -> $result {
                $room::$name($plan $(, $argument)*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,f16c")]
            fn avx2($plan: &Plan $(, $argument: $type)*) -> $result {
                $room::$name($plan $(, $argument)*)
            }
            match $plan.instruction_set() {
                // SAFETY: a plan's instruction set was found on this machine, see
                // `Plan::instruction_set`.
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx512 => unsafe { avx512($plan $(, $argument)*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2 => unsafe { avx2($plan $(, $argument)*) },
                _ => $room::$name($plan $(, $argument)*),
            }
        }
    };
}

door! {
    /// Projects each number of `source`.
    project = slice(plan, source: Source<'_>, sink: Sink<'_>, dither: Dither) -> Counts
}

door! {
    /// Decodes each code.
    decode = slice(plan, codes: CodesRef<'_>, numbers: &mut [f32]) -> ()
}

door! {
    /// Projects each number of `source` in one pass, by the plan's direct form.
    encode = direct(plan, source: &[f32], codes: Codes<'_>, dither: Dither) -> Counts
}
