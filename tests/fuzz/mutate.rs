//! A valid input becomes a damaged one.

/// Splitmix64: a generator of eight lines, so that the tests do not lean on the one of the library.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, case: u64) -> Self {
        Self(seed ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % (end.max(1) as u64)).unwrap()
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Integers at which lengths, counts and offsets go wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    7,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 62,
    i64::MAX.cast_unsigned(),
    u64::MAX - 7,
    u64::MAX,
];

/// What inputs of a kind are made of.
pub(crate) struct Kind<'a> {
    /// Inputs to begin with, right and wrong.
    pub(crate) seeds: &'a [Vec<u8>],
    /// Words that mean something in this kind.
    pub(crate) words: &'a [&'a str],
    /// Mutations happen before this byte, so that long data is left alone.
    pub(crate) header: usize,
}

impl Kind<'_> {
    /// Returns the input of a case: one of the seeds, changed one to six times.
    pub(crate) fn case(&self, seed: u64, case: u64) -> Vec<u8> {
        let mut dice = Dice::new(seed, case);
        let mut input = self.seeds[dice.below(self.seeds.len())].clone();
        for _ in 0..=dice.below(6) {
            self.mutate(&mut input, &mut dice);
        }
        input
    }

    fn mutate(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        let reach = input.len().min(self.header);
        let at = dice.below(reach + 1).min(input.len());
        let end = (at + 1 + dice.below(16)).min(input.len());
        match dice.below(10) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 if at < input.len() => input[at] = dice.roll().to_le_bytes()[0],
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            5 => {
                let other = &self.seeds[dice.below(self.seeds.len())];
                let from = dice.below(other.len());
                let piece = other[from..(from + dice.below(40)).min(other.len())].to_vec();
                input.splice(at..at, piece);
            }
            6 => drop(input.splice(at..at, dice.pick(self.words).bytes())),
            7 => overwrite(input, at, dice),
            8 => renumber(input, dice),
            _ => drop(input.splice(at..end, dice.pick(self.words).bytes())),
        }
    }
}

/// Puts an integer of 1 to 8 bytes in either byte order.
fn overwrite(input: &mut [u8], at: usize, dice: &mut Dice) {
    let edge = EDGES[dice.below(EDGES.len())].wrapping_add(dice.roll() & 1);
    let size = 1usize << dice.below(4);
    let mut bytes = edge.to_le_bytes()[..size].to_vec();
    if dice.roll() & 1 == 0 {
        bytes.reverse();
    }
    for (slot, byte) in input[at..].iter_mut().zip(bytes) {
        *slot = byte;
    }
}

/// Replaces a run of decimal digits by another number.
fn renumber(input: &mut Vec<u8>, dice: &mut Dice) {
    let starts: Vec<usize> = (0..input.len())
        .filter(|&i| input[i].is_ascii_digit() && (i == 0 || !input[i - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[dice.below(starts.len())];
    let length = input[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    let edge = EDGES[dice.below(EDGES.len())];
    input.splice(start..start + length, edge.to_string().into_bytes());
}

#[test]
fn a_case_is_repeatable_and_differs_from_the_next() {
    let seeds = [b"{'shape': (3, 4)}".to_vec()];
    let kind = Kind { seeds: &seeds, words: &["("], header: 100 };
    let cases: Vec<_> = (0..100).map(|case| kind.case(7, case)).collect();
    assert_eq!(cases, (0..100).map(|case| kind.case(7, case)).collect::<Vec<_>>());
    let different: std::collections::HashSet<_> = cases.iter().collect();
    assert!(different.len() > 90, "{}", different.len());
}
