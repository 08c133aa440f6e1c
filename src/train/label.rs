//! Rows of several tables become names that tell them apart.

use super::experiment::Entry;

/// Returns what tells the table of a row from the others: its task, else its optimizer and learning
/// rate, if these differ between tables.
pub fn context(entry: &Entry, entries: &[&Entry]) -> Option<String> {
    // A table is described by its first row.
    let first = |group| entries.iter().find(|other| other.group == group);
    let firsts: Vec<&Entry> =
        entries.iter().filter_map(|other| first(other.group)).copied().collect();
    let own = first(entry.group)?;
    let differs = |of: fn(&Entry) -> String| {
        let ours = of(own);
        firsts.iter().any(|other| of(other) != ours).then_some(ours)
    };
    differs(|entry| entry.task.name.to_owned())
        .or_else(|| differs(|entry| entry.recipe.rule_and_rate()))
}

/// Returns a row's policy, with its context where another table has a row of that name.
pub fn label(entry: &Entry, entries: &[&Entry]) -> String {
    let policy = &entry.policy;
    let is_elsewhere =
        entries.iter().any(|other| other.group != entry.group && other.policy == *policy);
    match context(entry, entries).filter(|_| is_elsewhere) {
        Some(context) => format!("{policy} ({context})"),
        None => policy.clone(),
    }
}
