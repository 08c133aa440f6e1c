//! The chunks of a tensor become statistics of every target at every scale, on all threads.

use super::{
    Progress, SweepError,
    numbers::Buffer,
    source::{Feed, Shard, Tensor},
    target::{Place, Target, Work},
};
use crate::{kernel::Dither, random::Stream, stats::Statistics};

/// What is done with every tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    /// What numbers are rounded to.
    pub(super) targets: &'a [Target],
    /// Exponents of the powers of two by which they are multiplied first.
    pub(super) scales: &'a [i32],
    /// Whether histograms are made.
    pub(super) histograms: bool,
    /// The seed of stochastic rounding.
    pub(super) seed: u64,
    /// The share of the chunks.
    pub(super) shard: Shard,
}

/// Where a tensor stands among all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    /// Chunks before it.
    pub(super) chunks: u64,
    /// Elements before it.
    pub(super) elements: u64,
}

impl Job<'_> {
    fn empty(&self) -> Vec<Statistics> {
        let one = |target: &Target| {
            let statistics = target.statistics();
            if self.histograms { statistics.with_histograms() } else { statistics }
        };
        self.scales.iter().flat_map(|_| self.targets.iter().map(one)).collect()
    }

    /// Returns the statistics of a tensor: those of the first scale in the order of the targets, then
    /// those of the next.
    pub(super) fn measure(
        &self,
        tensor: &Tensor,
        at: Position,
        progress: &dyn Progress,
    ) -> Result<Vec<Statistics>, SweepError> {
        let feed = Feed::new(tensor, self.shard, at.chunks)?;
        let stream = Stream::new(self.seed, tensor.number);
        let workers = rayon::broadcast(|_| self.work(&feed, stream, at, progress));
        let mut all = self.empty();
        for worker in workers {
            all.iter_mut().zip(&worker?).for_each(|(all, own)| all.merge(own));
        }
        Ok(all)
    }

    fn work(
        &self,
        feed: &Feed,
        stream: Stream,
        at: Position,
        progress: &dyn Progress,
    ) -> Result<Vec<Statistics>, SweepError> {
        let mut statistics = self.empty();
        let (mut read, mut scaled, mut work) =
            (Buffer::default(), Buffer::default(), Work::default());
        while let Some(elements) = feed.next(&mut read)? {
            let dither = Dither { stream, first: elements.start };
            let place = Place { dither, index: at.elements + elements.start };
            for (scale, own) in self.scales.iter().zip(statistics.chunks_mut(self.targets.len())) {
                let numbers = if *scale == 0 {
                    read.numbers()
                } else {
                    scaled.scale(read.numbers(), *scale);
                    scaled.numbers()
                };
                let largest = numbers.largest();
                for (target, statistics) in self.targets.iter().zip(own) {
                    statistics.max_input = statistics.max_input.max(largest);
                    target.measure(numbers, place, &mut work, statistics);
                }
            }
            progress.advance(elements.end - elements.start);
        }
        Ok(statistics)
    }
}
