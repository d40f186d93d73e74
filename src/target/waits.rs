//! Who waits for whom. Pure.

use std::collections::BTreeSet;

use super::{Reading, Row};

/// How many sessions wait for one of `ours`, directly or in the queue behind somebody who does.
///
/// A row is a session that waits and one that it waits for: its lock, or its earlier place in the
/// queue. Sessions of ours that wait are not counted, and who waits for them is.
pub(super) fn blocked(rows: &[Row], ours: &[String]) -> Reading {
    Reading::plain(f64::from(count(rows, ours)))
}

fn count(rows: &[Row], ours: &[String]) -> u32 {
    let edges: Vec<(&str, &str)> = rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [Some(waiter), Some(holder)] => Some((waiter.as_str(), holder.as_str())),
            _ => None,
        })
        .collect();
    let ours: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
    let mut reached = ours.clone();
    loop {
        let next: Vec<&str> = edges
            .iter()
            .filter(|(waiter, holder)| reached.contains(holder) && !reached.contains(waiter))
            .map(|(waiter, _)| *waiter)
            .collect();
        if next.is_empty() {
            return u32::try_from(reached.len() - ours.len()).unwrap_or(u32::MAX);
        }
        reached.extend(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(edges: &[(&str, &str)], ours: &[&str]) -> u32 {
        let row = |(waiter, holder): &(&str, &str)| {
            vec![Some((*waiter).to_owned()), Some((*holder).to_owned())]
        };
        let rows: Vec<Row> = edges.iter().map(row).collect();
        let ours: Vec<String> = ours.iter().map(|id| (*id).to_owned()).collect();
        count(&rows, &ours)
    }

    #[test]
    fn each_waiter_counts_once_however_far_behind() {
        assert_eq!(counted(&[], &["1"]), 0);
        assert_eq!(counted(&[("7", "1")], &["1"]), 1);
        // 8 has queued behind 7 for the row of 1, and 9 waits for both of our sessions.
        assert_eq!(counted(&[("8", "7"), ("7", "1"), ("9", "1"), ("9", "2")], &["1", "2"]), 3);
    }

    #[test]
    fn waits_of_others_for_others_are_not_ours() {
        assert_eq!(counted(&[("7", "8")], &["1"]), 0);
        assert_eq!(counted(&[("7", "8"), ("8", "7")], &["1"]), 0);
    }

    #[test]
    fn our_own_waits_are_no_harm_but_pass_it_on() {
        assert_eq!(counted(&[("1", "2")], &["1", "2"]), 0);
        assert_eq!(counted(&[("1", "5"), ("7", "1")], &["1"]), 1);
    }
}
