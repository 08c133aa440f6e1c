//! The chunks of a tensor become statistics of every target at every scale, on all threads.

use super::{
    Progress, SweepError,
    numbers::Buffer,
    source::{Feed, Tensor},
    target::{Maxima, Place, Target, TensorScales, Work},
};
use crate::{container::Shard, kernel::Dither, random::Stream, stats::Statistics};

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
        let maxima = self.maxima(tensor, at)?;
        let scales: Vec<Option<TensorScales>> =
            maxima.into_iter().map(|maxima| maxima.map(Maxima::scales)).collect();
        let feed = Feed::new(tensor, self.shard, at.chunks)?;
        let stream = Stream::new(self.seed, tensor.number);
        let workers = rayon::broadcast(|_| self.work(&feed, &scales, stream, at, progress));
        let mut all = self.empty();
        for worker in workers {
            all.iter_mut().zip(&worker?).for_each(|(all, own)| all.merge(own));
        }
        // A tensor's scales are counted once: in the share that has its first chunk.
        if self.shard.contains(at.chunks) {
            for (statistics, scales) in all.iter_mut().zip(&scales) {
                let codes = scales.as_ref().and_then(|scales| scales.codes.as_ref());
                if let (Some(counted), Some(codes)) = (&mut statistics.scales, codes) {
                    counted.merge(codes);
                }
            }
        }
        Ok(all)
    }

    /// Finds the largest magnitudes that scales follow from, in a pass over the whole tensor.
    fn maxima<'t>(
        &'t self,
        tensor: &Tensor,
        at: Position,
    ) -> Result<Vec<Option<Maxima<'t>>>, SweepError> {
        let of = |target: &'t Target| {
            let maxima = target.quantizer.as_ref().map(|q| Maxima::new(q, &tensor.shape));
            maxima.transpose()
        };
        let targets = self.scales.iter().flat_map(|_| self.targets.iter());
        let all = targets.map(of).collect::<Result<Vec<_>, _>>()?;
        if all.iter().all(Option::is_none) {
            return Ok(all);
        }
        if tensor.elements.is_none() {
            return Err(SweepError::Endless);
        }
        let feed = Feed::new(tensor, Shard::WHOLE, at.chunks)?;
        let pass = |_: rayon::BroadcastContext| {
            let (mut read, mut scaled) = (Buffer::default(), Buffer::default());
            while let Some(elements) = feed.next(&mut read)? {
                for (scale, all) in self.scales.iter().zip(all.chunks(self.targets.len())) {
                    let numbers = if *scale == 0 {
                        read.numbers()
                    } else {
                        scaled.scale(read.numbers(), *scale);
                        scaled.numbers()
                    };
                    all.iter()
                        .flatten()
                        .for_each(|maxima| maxima.update(numbers, elements.clone()));
                }
            }
            Ok(())
        };
        rayon::broadcast(pass).into_iter().collect::<Result<(), SweepError>>()?;
        Ok(all)
    }

    fn work(
        &self,
        feed: &Feed,
        tensor_scales: &[Option<TensorScales>],
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
            let count = self.targets.len();
            let by_scale = statistics.chunks_mut(count).zip(tensor_scales.chunks(count));
            for (scale, (own, tensor_scales)) in self.scales.iter().zip(by_scale) {
                let numbers = if *scale == 0 {
                    read.numbers()
                } else {
                    scaled.scale(read.numbers(), *scale);
                    scaled.numbers()
                };
                let targets = self.targets.iter().zip(tensor_scales).zip(own);
                for ((target, scales), statistics) in targets {
                    target.measure(numbers, place, scales.as_ref(), &mut work, statistics);
                }
            }
            progress.advance(elements.end - elements.start);
        }
        Ok(statistics)
    }
}
