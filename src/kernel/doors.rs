//! A job goes to the loops compiled for the instruction set of its plan.

use super::{
    Counts, Dither, Plan, Real,
    codes::{Codes, CodesRef},
    direct,
    instruction_set::compiled,
    scaled::{Blocks, Form, Part, Power, Room, largest, power, product, quotient},
    slice::{self, Sink, Source},
};

compiled! {
    on plan.instruction_set();
    /// Projects each number of `source`.
    pub(super) fn project(plan: &Plan, source: Source<'_>, sink: Sink<'_>, dither: Dither) -> Counts {
        slice::project(plan, source, sink, dither)
    }
}

compiled! {
    on plan.instruction_set();
    /// Decodes each code.
    pub(super) fn decode(plan: &Plan, codes: CodesRef<'_>, numbers: &mut [f32]) {
        slice::decode(plan, codes, numbers);
    }
}

compiled! {
    on plan.instruction_set();
    /// Projects each number of `source` in one pass, by the plan's direct form.
    pub(super) fn encode(plan: &Plan, source: &[f32], codes: Codes<'_>, dither: Dither) -> Counts {
        direct::encode(plan, source, codes, dither)
    }
}

compiled! {
    on plan.instruction_set();
    /// Divides each number by its scale.
    pub(super) fn divide<R: Real>(plan: &Plan, source: &[R], part: Part<'_>, room: &mut Room)
        -> Option<(Form, Counts)> {
        quotient::divide(plan, source, part, room)
    }
}

compiled! {
    on plan.instruction_set();
    /// Divides each number by its scale and projects the quotient, at once.
    pub(super) fn encode_quotients<R: Real>(plan: &Plan, source: &[R], part: Part<'_>, codes: &mut [u8],
        room: &mut Room) -> Option<Counts> {
        quotient::encode(plan, source, part, codes, room)
    }
}

compiled! {
    on plan.instruction_set();
    /// Divides each number by its scale and rounds the quotient, at once.
    pub(super) fn round_quotients<R: Real>(plan: &Plan, source: &[R], part: Part<'_>, room: &mut Room)
        -> Option<Counts> {
        quotient::round(plan, source, part, room)
    }
}

compiled! {
    on plan.instruction_set();
    /// Decodes each code and multiplies it by its scale.
    pub(super) fn decode_scaled<R: Real>(plan: &Plan, codes: CodesRef<'_>, part: Part<'_>,
        room: &mut Room, products: &mut [R]) -> bool {
        product::decode(plan, codes, part, room, products)
    }
}

compiled! {
    on plan.instruction_set();
    /// Multiplies each number by its scale.
    pub(super) fn multiply<R: Real>(plan: &Plan, part: Part<'_>, room: &mut Room, products: &mut [R])
        -> bool {
        product::multiply(plan, part, room, products)
    }
}

compiled! {
    /// Raises the largest magnitudes of runs.
    pub(super) fn raise<R: Real>(source: &[R], size: usize, largest: &mut [f64], finite: bool) {
        largest::raise(source, size, largest, finite);
    }
}

compiled! {
    on blocks.instruction_set();
    /// Encodes blocks under powers of two.
    pub(super) fn encode_blocks<R: Real>(blocks: Blocks, source: &[R], powers: &mut [u32],
        codes: &mut [u8]) -> Option<Counts> {
        blocks.encode(source, powers, codes)
    }
}

compiled! {
    on blocks.instruction_set();
    /// Rounds blocks under powers of two.
    pub(super) fn quantize_blocks<R: Real>(blocks: Blocks, source: &[R],
        powers: &mut [u32], rounded: &mut [R]) -> Option<Counts> {
        blocks.quantize(source, powers, rounded)
    }
}

compiled! {
    /// Writes the codes of powers of two.
    pub(super) fn encode_powers(power: Power, largest: &[f64], codes: &mut [u32]) {
        power::encode(power, largest, codes);
    }
}

compiled! {
    /// Writes the numbers of powers of two.
    pub(super) fn decode_powers(codes: &[u32], numbers: &mut [f64]) {
        power::decode(codes, numbers);
    }
}
