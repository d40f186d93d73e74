//! A URL that must answer 200.

use std::time::Duration;

use async_trait::async_trait;

use super::{Line, Probe, Unread};

/// What is read of an answer for the reason.
const REASON_BYTES: u64 = 256;

/// Fetches the URL.
pub(in crate::throttle) struct Get {
    url: String,
    agent: ureq::Agent,
}

impl Get {
    /// `patience` is how long an answer may take.
    pub(in crate::throttle) fn new(url: &str, patience: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("backstop/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { url: url.to_owned(), agent: config.into() }
    }
}

#[async_trait]
impl Probe for Get {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let fetched = tokio::task::spawn_blocking(move || fetch(&agent, &url)).await;
        let failed = |why: String| Unread::Failed(why);
        let (status, body) = fetched.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
        let note = match crate::control::reason_in(body.as_bytes()) {
            Some(line) => format!("{} answered {status}: {line}", self.url),
            None => format!("{} answered {status}", self.url),
        };
        Ok(vec![Line::flag(status != 200, Some(note))])
    }
}

fn fetch(agent: &ureq::Agent, url: &str) -> Result<(u16, String), String> {
    let mut answer = agent.get(url).call().map_err(|error| format!("{url}: {error}"))?;
    let status = answer.status().as_u16();
    // An answer that breaks off after its status has said what counts.
    let body = answer.body_mut().with_config().limit(REASON_BYTES).read_to_vec();
    Ok((status, String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()))
}
