//! What the tool says on stdout and stderr: lines that were measured, and the words of its end.

/// The longest text of a line that is passed on.
const LONG: usize = 300;
/// So many lines of an end are passed on.
const WORDS: usize = 3;

/// What was said.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Said {
    /// The time that is left, in seconds.
    pub(super) eta: Option<f64>,
    /// `Successfully altered`, or not; nothing while it has not said.
    pub(super) altered: Option<bool>,
    /// What it means to copy.
    pub(super) estimate: Option<u64>,
    /// The number of a run that can be taken up.
    pub(super) job: Option<String>,
    /// The last lines that tell why.
    pub(super) words: Vec<String>,
}

impl Said {
    /// Folds a line, of either stream: 3.2.1 tells its errors on stdout, others on stderr.
    pub(super) fn fold(&mut self, line: &str) {
        if let Some((_, eta)) = progress(line) {
            self.eta = Some(eta);
            return;
        }
        let line = line.trim();
        if line.starts_with("Successfully altered `") {
            self.altered = Some(true);
        } else if line.starts_with('`') && line.ends_with("` was not altered.") {
            self.altered = Some(false);
        } else if let Some(rows) = between(line, "Copying approximately ", " rows...") {
            self.estimate = rows.parse().ok();
        } else if let Some(job) = between(line, "Job ", " started.") {
            self.job = Some(job.to_owned());
        } else if tells_why(line) {
            if self.words.len() == WORDS {
                self.words.remove(0);
            }
            self.words.push(shortened(line));
        }
    }
}

/// At most so much of it.
pub(super) fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(before)?;
    rest.strip_suffix(after)
}

/// The percentage and the seconds that are left, of a line of progress:
/// ``Copying `shop`.`orders`:  22% 00:03 remain``.
fn progress(line: &str) -> Option<(u32, f64)> {
    let rest = line.strip_prefix("Copying `")?.strip_suffix(" remain")?;
    let (_, told) = rest.rsplit_once("`: ")?;
    let (percent, time) = told.trim_start().split_once("% ")?;
    let (days, clock) = match time.split_once('+') {
        Some((days, clock)) => (days.parse::<u32>().ok()?, clock),
        None => (0, time),
    };
    let mut seconds = 0.0;
    for part in clock.split(':') {
        seconds = seconds * 60.0 + f64::from(part.parse::<u32>().ok()?);
    }
    seconds += f64::from(days) * 86_400.0;
    Some((percent.parse().ok()?, seconds))
}

/// Whether a line may say why it ended: codes do not tell, 11 and 25 stand for any error, 1 for most.
fn tells_why(line: &str) -> bool {
    const SIGNS: &[&str] = &[
        "abort",
        "access denied",
        "cannot",
        "can't",
        "could not",
        "does not",
        "error",
        "exceeds",
        "data loss",
        "exiting.",
        "failed",
        "invalid",
        "killed",
        "lost",
        "no such",
        "not found",
        "not safe",
        "refus",
        "terminated",
        "timeout",
        "triggers but",
        "unknown",
        "were errors",
    ];
    let lower = line.to_lowercase();
    // What is said in a clean-up is said once more without it; behind `#` stand counts of what happened.
    !lower.contains("(in cleanup)")
        && !lower.starts_with('#')
        && SIGNS.iter().any(|sign| lower.contains(sign))
        || lower.starts_with("# exiting on")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is one that the tool wrote, with what is read in it behind the last ` => `.
    const GOLDEN: &str = include_str!("../../../../tests/handoff/pt-osc-lines.txt");

    #[test]
    fn lines_that_were_measured_are_read() {
        let mut count = 0;
        for (line, meaning) in GOLDEN
            .lines()
            .filter(|line| !line.starts_with("##"))
            .filter_map(|line| line.rsplit_once(" => "))
        {
            let mut said = Said::default();
            said.fold(line);
            let read = match (&said, progress(line)) {
                (_, Some((percent, seconds))) => format!("{percent} % {seconds} s"),
                (Said { altered: Some(true), .. }, _) => "altered".to_owned(),
                (Said { altered: Some(false), .. }, _) => "not altered".to_owned(),
                (Said { estimate: Some(rows), .. }, _) => format!("{rows} rows"),
                (Said { job: Some(job), .. }, _) => format!("job {job}"),
                (Said { words, .. }, _) if !words.is_empty() => "why".to_owned(),
                _ => "nothing".to_owned(),
            };
            assert_eq!(read, meaning, "{line}");
            count += 1;
        }
        assert!(30 < count, "{count}");
    }

    #[test]
    fn the_last_words_are_kept_and_are_short() {
        let mut said = Said::default();
        for number in 0..9 {
            said.fold(&format!("Error {number}: {}", "é".repeat(400)));
        }
        assert_eq!(said.words.len(), WORDS);
        assert!(said.words[0].starts_with("Error 6") && said.words[2].chars().count() == LONG + 1);
    }
}
