//! The names of many tensors become short ones that still tell them apart.

/// What many of some names begin with, printed once instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix<'a>(&'a str);

/// What stands before a name without the prefix.
const OUTSIDE: &str = "../";

impl<'a> Prefix<'a> {
    /// Returns the beginning up to a dot that leaves the least of the names to be elided, and then
    /// spares the most characters; empty if none spares any.
    pub(super) fn of(names: &[&'a str]) -> Self {
        let dots = |name: &'a str| name.match_indices('.').map(move |(at, _)| &name[..=at]);
        let length = |name: &str, prefix: &str| match name.strip_prefix(prefix) {
            Some(rest) => rest.len(),
            None => name.len() + OUTSIDE.len(),
        };
        let all: usize = names.iter().map(|name| name.len()).sum();
        let cost = |prefix: &str| {
            let lengths = names.iter().map(|name| length(name, prefix));
            let beyond: usize = lengths.clone().map(|length| length.saturating_sub(USUAL)).sum();
            (beyond, lengths.sum::<usize>() + prefix.len())
        };
        // The prefixes of a few names, spread over all, are candidates enough.
        let step = names.len().div_ceil(CANDIDATES).max(1);
        let candidates = names.iter().step_by(step).flat_map(|name| dots(name));
        let best = candidates.map(|prefix| (cost(prefix), prefix)).min_by_key(|(cost, _)| *cost);
        Self(best.filter(|((_, left), _)| *left < all).map_or("", |(_, prefix)| prefix))
    }

    /// Returns the prefix, as a heading shows it.
    pub(super) fn heading(self) -> &'a str {
        self.0
    }

    /// Returns a name without the prefix, in at most so many characters.
    pub(super) fn shorten(self, name: &str, room: usize) -> String {
        match name.strip_prefix(self.0) {
            Some(rest) => elided(rest, room),
            None => elided(&format!("{OUTSIDE}{name}"), room),
        }
    }
}

/// Characters that a table usually has room for.
const USUAL: usize = 29;

/// Returns a number of tensors in words.
pub(super) fn tensors(count: usize) -> String {
    if count == 1 { "1 tensor".to_owned() } else { format!("{count} tensors") }
}

/// Names whose prefixes are tried.
const CANDIDATES: usize = 64;

/// Returns a name with its middle left out if it is long.
pub(super) fn elided(name: &str, room: usize) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= room {
        return name.to_owned();
    }
    let half = room.saturating_sub(1) / 2;
    let (head, tail) = (&characters[..half], &characters[characters.len() - half..]);
    head.iter().chain(['…'].iter()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_that_spares_most_is_taken() {
        let names = ["enc.5.a.weight", "enc.5.b.weight", "enc.5.b.bias", "emb.weight"];
        let prefix = Prefix::of(&names);
        assert_eq!(prefix.heading(), "enc.5.");
        assert_eq!(prefix.shorten("enc.5.b.bias", 20), "b.bias");
        assert_eq!(prefix.shorten("emb.weight", 20), "../emb.weight");
        assert_eq!(prefix.shorten("enc.5.attention.weight", 9), "atte…ight");
        assert_eq!(Prefix::of(&["a.b"]).heading(), "");
        assert_eq!(Prefix::of(&[]).shorten("a", 5), "a");
    }
}
