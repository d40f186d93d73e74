//! `POST /kill`.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::control::{Ask, Level, Source, Stop, reason_in};
use crate::spec::Secret;

/// What is read of a body for its reason.
const REASON_BYTES: usize = 1024;

/// How long the body may keep the kill waiting: a caller that sends none of what it announced must
/// not hold it up.
const REASON_WAIT: Duration = Duration::from_millis(50);

/// What a kill over HTTP needs.
#[derive(Debug, Clone)]
pub struct KillSwitch {
    /// The job.
    pub job: String,
    /// The token that ends it.
    pub stop: Stop,
    /// The bearer token that the caller must show. Without one everybody is refused.
    pub token: Option<Secret>,
}

const OFF: &str = "\
POST /kill is off: no token was configured, and without one anybody who reaches this port could \
kill the job. Name the variable that holds one in `backstop.toml` (`[control] token_env = \
\"BACKSTOP_TOKEN\"`) and start the job with it; until then `backstop kill JOB` on the runner's host \
kills it\n";

const WRONG: &str = "\
the token is missing or wrong: send `Authorization: Bearer TOKEN` with the value of the variable that \
`[control] token_env` in `backstop.toml` names\n";

pub(super) async fn kill(
    State(switch): State<Arc<KillSwitch>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(token) = &switch.token else {
        return (StatusCode::FORBIDDEN, OFF).into_response();
    };
    if !shown(&headers).is_some_and(|given| is_same(given, token.reveal().as_bytes())) {
        let challenge = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, WRONG).into_response();
    }
    let by = format!("POST /kill from {from}");
    let reason = reason_in(&beginning(body).await);
    switch.stop.ask(Ask { level: Level::Kill, source: Source::Http, by, reason });
    let answer = json!({ "job": switch.job, "state": "killing" });
    let json = [(CONTENT_TYPE, "application/json")];
    (StatusCode::ACCEPTED, json, format!("{answer}\n")).into_response()
}

/// The bearer token in the headers. The scheme's name has no case (RFC 9110, section 11.1).
fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// Compares without telling by its duration where the difference is: the hashes have one length,
/// and all of their bytes are looked at.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    let (given, token) = (Sha256::digest(given), Sha256::digest(token));
    given.iter().zip(token.iter()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The first bytes of the body, as far as they are there.
async fn beginning(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let filled = async {
        while bytes.len() < REASON_BYTES {
            let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let Some(Ok(frame)) = frame else { break };
            bytes.extend(frame.into_data().unwrap_or_default());
        }
    };
    // Whatever has come by then is the reason.
    let _ = tokio::time::timeout(REASON_WAIT, filled).await;
    bytes.truncate(REASON_BYTES);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> HeaderMap {
        [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn only_a_bearer_token_is_a_token() {
        assert_eq!(shown(&with("Bearer abc")), Some(&b"abc"[..]));
        assert_eq!(shown(&with("bearer  abc ")), Some(&b"abc"[..]));
        for other in ["Basic abc", "Bearer", "Bearerabc", "abc", ""] {
            assert_eq!(shown(&with(other)), None, "{other}");
        }
        assert_eq!(shown(&HeaderMap::new()), None);
    }

    #[test]
    fn tokens_are_the_same_only_as_a_whole() {
        assert!(is_same(b"abc", b"abc"));
        for other in [&b""[..], b"ab", b"abcd", b"abd", b"ABC"] {
            assert!(!is_same(other, b"abc"));
        }
    }

    #[test]
    fn a_reason_is_no_longer_than_it_may_be() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        assert_eq!(runtime.block_on(beginning(Body::from("why"))), b"why");
        assert_eq!(runtime.block_on(beginning(Body::from(vec![b'x'; 5000]))).len(), 1024);
        assert!(runtime.block_on(beginning(Body::empty())).is_empty());
    }
}
