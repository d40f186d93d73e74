//! What verification found, and what it means.

use jiff::Timestamp;

use crate::gate::evidence::Period;

/// Keys that a message names.
const EXAMPLES: usize = 5;

/// What verification found.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows left over, where that was checked.
    pub remaining: Option<u64>,
    /// Rows that violate the expectation, where that was checked.
    pub mismatched: Option<u64>,
    /// For how many rows the expectation was evaluated, where that was to be a sample.
    pub sampled: Option<u64>,
    /// Of the rows that are left over, those that another write would change.
    pub unwritten: u64,
    /// Whether what was left has been written once more, and this is what is left after that.
    pub swept: bool,
    /// Whether rows may be written more than once.
    pub may_sweep: bool,
    /// The checksum over all rows, where one was taken.
    pub checksum: Option<String>,
    /// The first keys of wrong rows.
    pub keys: Vec<String>,
    /// When the first look began.
    pub started_at: Timestamp,
    /// When the last look ended.
    pub finished_at: Timestamp,
    /// What was seen after that, where somebody wanted to know whether it stays so.
    pub watched: Option<Seen>,
}

/// What was seen while it was watched.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The stretches in which nothing was wrong.
    pub periods: Vec<Period>,
    /// Rows that were found wrong.
    pub violations: u64,
    /// Rows that were looked at.
    pub rows: u64,
}

impl Verdict {
    /// Rows found wrong by the looks over the table.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.remaining.unwrap_or(0) + self.mismatched.unwrap_or(0)
    }

    /// Whether nothing is wrong, and nothing was while it was watched.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.wrong() == 0 && self.watched.as_ref().is_none_or(|seen| seen.violations == 0)
    }

    /// What was looked at, in words: `12 rows checked`.
    #[must_use]
    pub fn extent(&self, count: impl Fn(u64) -> String) -> String {
        let watched = self.watched.as_ref().map_or(0, |seen| seen.rows);
        let sample = self.sampled.map(|rows| format!(", `expect` for {} of them", count(rows)));
        format!("{} rows checked{}", count(self.rows + watched), sample.unwrap_or_default())
    }

    /// What is wrong, and what that means, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if let Some(rows @ 1..) = self.remaining {
            parts.push(format!("{rows} rows are left over"));
        }
        if let Some(rows @ 1..) = self.mismatched {
            parts.push(format!("{rows} rows violate `expect`"));
        }
        if let Some(Seen { violations: rows @ 1.., periods, .. }) = &self.watched {
            let ends: Vec<_> = periods
                .iter()
                .filter_map(|period| Some((period.ended_by.as_ref()?, &period.until)))
                .map(|(key, at)| format!("{key} at {at}"))
                .take(EXAMPLES)
                .collect();
            let ends = if ends.is_empty() {
                String::new()
            } else {
                format!(" (first {})", ends.join(", then "))
            };
            parts.push(format!("{rows} rows were found wrong while it was watched{ends}"));
        }
        let mut sentence = parts.join(" and ");
        if !self.keys.is_empty() {
            let keys: Vec<_> = self.keys.iter().take(EXAMPLES).map(String::as_str).collect();
            sentence.push_str(&format!(", for example {}", keys.join("; ")));
        }
        for meaning in self.meaning() {
            sentence.push_str(&format!("; {meaning}"));
        }
        sentence
    }

    fn meaning(&self) -> Vec<String> {
        let (mut meaning, remaining) = (Vec::new(), self.remaining.unwrap_or(0));
        let as_written = remaining.saturating_sub(self.unwritten);
        if self.watched.is_some() || remaining == 0 {
            return meaning;
        }
        if !self.may_sweep {
            meaning.push(
                "they came behind the cursor or late, or match `where` also when they are written; \
                 this job does not write a row a second time, so it does not go back for them"
                    .to_owned(),
            );
            return meaning;
        }
        if 0 < as_written {
            meaning.push(format!(
                "{as_written} of those left over match `where` although they are as `set` makes them"
            ));
        }
        match self.unwritten {
            0 => {}
            rows if self.swept => meaning.push(format!(
                "{rows} came, or were changed, since {} while such rows were being written: the \
                 application does not write the new value yet (no dual write), so let it write \
                 both, and then run the job again, which writes what is left",
                self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            )),
            rows => meaning.push(format!("`backstop run` writes {rows} of them")),
        }
        meaning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(remaining: u64, unwritten: u64) -> Verdict {
        Verdict {
            rows: 9,
            remaining: Some(remaining),
            mismatched: Some(0),
            sampled: None,
            unwritten,
            swept: true,
            may_sweep: true,
            checksum: None,
            keys: vec!["id=7".into()],
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH,
            watched: None,
        }
    }

    #[test]
    fn what_is_wrong_says_what_it_means() {
        assert!(verdict(0, 0).passed());
        assert_eq!(
            verdict(2, 0).sentence(),
            "2 rows are left over, for example id=7; 2 of those left over match `where` although \
             they are as `set` makes them"
        );
        let late = verdict(3, 3).sentence();
        assert!(late.contains("3 came, or were changed, since 1970-01-01T00:00:00Z"), "{late}");
        assert!(late.contains("no dual write"), "{late}");
        let looked = Verdict { swept: false, ..verdict(3, 3) };
        assert!(looked.sentence().ends_with("`backstop run` writes 3 of them"));
        let once = Verdict { may_sweep: false, unwritten: 0, ..verdict(1, 0) };
        assert!(once.sentence().contains("does not go back for them"));
    }
}
