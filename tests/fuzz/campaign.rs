//! Many cases of one kind, each within bounds.

use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::{meter::measure, mutate::Kind};

/// The seed of every ordinary run.
const SEED: u64 = 20_251;
/// Far above what any case takes on a loaded machine, far below what a quadratic loop would.
const MAX_TIME: Duration = Duration::from_secs(5);

/// A target, and the bounds its cases keep.
pub(crate) struct Campaign<'a> {
    pub(crate) kind: Kind<'a>,
    /// Cases of an ordinary run.
    pub(crate) cases: u64,
    /// Bytes that a case may hold at a time.
    pub(crate) max_bytes: usize,
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

impl Campaign<'_> {
    /// Runs the seeds and the cases; `target` panics where something is wrong, and says whether it took the input.
    ///
    /// Returns how many cases were taken and how many refused.
    pub(crate) fn run(&self, mut target: impl FnMut(&[u8]) -> bool) -> (u64, u64) {
        let seed = setting("FPX_FUZZ_SEED").unwrap_or(SEED);
        let only = setting("FPX_FUZZ_CASE");
        let seconds = setting("FPX_FUZZ_SECONDS").map(Duration::from_secs);
        let (mut taken, mut refused) = (0, 0);
        let mut check = |input: &[u8], name: &str| {
            if self.one(input, name, &mut target) { taken += 1 } else { refused += 1 }
        };
        for (i, input) in self.kind.seeds.iter().enumerate().filter(|_| only.is_none()) {
            check(input, &format!("seed input {i}"));
        }
        let start = Instant::now();
        for case in only.unwrap_or(0).. {
            let over = seconds.map_or(case >= self.cases, |limit| start.elapsed() > limit);
            if only.is_some_and(|only| case > only) || (only.is_none() && over) {
                break;
            }
            let name = format!("FPX_FUZZ_SEED={seed} FPX_FUZZ_CASE={case}");
            check(&self.kind.case(seed, case), &name);
        }
        (taken, refused)
    }

    fn one(&self, input: &[u8], name: &str, target: &mut impl FnMut(&[u8]) -> bool) -> bool {
        let (result, spent) = measure(|| catch_unwind(AssertUnwindSafe(|| target(input))));
        let taken =
            result.unwrap_or_else(|_| panic!("{name} panics, as shown above: {}", shown(input)));
        assert!(
            spent.bytes <= self.max_bytes,
            "{name} holds {} bytes: {}",
            spent.bytes,
            shown(input)
        );
        assert!(spent.time <= MAX_TIME, "{name} takes {:?}: {}", spent.time, shown(input));
        taken
    }
}

/// An input as a Rust byte string, shortened.
pub(crate) fn shown(input: &[u8]) -> String {
    let mut text = format!("{} bytes: b\"", input.len());
    let _ = write!(text, "{}", input[..input.len().min(2000)].escape_ascii());
    text + "\""
}

/// Checks that a message can stand on a terminal as one line.
pub(crate) fn assert_is_a_line(message: &str) {
    assert!(!message.is_empty(), "an empty message");
    assert!(
        !message.chars().any(char::is_control),
        "a control character in {:?}",
        message.chars().take(300).collect::<String>()
    );
    assert!(message.len() < 70_000, "a message of {} bytes", message.len());
}
