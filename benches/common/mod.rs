//! Timing by interleaved runs: what is compared is run in turn, so that a noisy moment hits all.

use std::{hint::black_box, time::Instant};

/// One thing to be timed: a name and what runs it once.
pub(crate) struct Subject<'a> {
    /// What is timed.
    pub name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Subject<'a> {
    /// Returns a subject.
    pub(crate) fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// Returns a subject that does one thing to each value.
pub(crate) fn each<'a, T: Copy, R>(
    name: &'static str,
    values: &'a [T],
    run: impl Fn(T) -> R + 'a,
) -> Subject<'a> {
    Subject::new(name, move || {
        for &value in values {
            black_box(run(black_box(value)));
        }
    })
}

/// Returns the median seconds of one run of each subject.
pub(crate) fn medians(subjects: &mut [Subject<'_>], rounds: usize) -> Vec<f64> {
    let mut samples = vec![Vec::with_capacity(rounds); subjects.len()];
    for round in 0..rounds + 3 {
        for (subject, samples) in subjects.iter_mut().zip(&mut samples) {
            (subject.run)();
            let start = Instant::now();
            for _ in 0..8 {
                (subject.run)();
            }
            if round >= 3 {
                samples.push(start.elapsed().as_secs_f64() / 8.0);
            }
        }
    }
    samples.iter_mut().map(|samples| median(samples)).collect()
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
