//! `--listen`: `/metrics`, `/healthz` and `POST /kill`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use tokio::sync::Notify;

use super::kill::{KillSwitch, kill};

/// What `/metrics` answers, made anew at each call.
pub type Text = Arc<dyn Fn() -> String + Send + Sync>;

/// Prometheus 3 refuses a scrape whose content type it does not know.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long an answer under way may take when the process ends.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// A listener; it ends when this is dropped.
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
    scraped: Arc<Notify>,
    end: Arc<Notify>,
}

impl Listening {
    /// Waits until the metrics have been fetched once more, for at most `patience`: a process that
    /// ends at once takes its last state with it, and a job that is done would look like one that
    /// crashed.
    pub async fn linger(&self, patience: Duration) {
        // A time-out is an answer too: nobody scrapes.
        let _ = tokio::time::timeout(patience, self.scraped.notified()).await;
    }

    /// Takes no more calls, and writes the answers under way to their end: who sent the kill that
    /// ends this process is told so.
    pub async fn close(mut self) {
        self.end.notify_one();
        let _ = tokio::time::timeout(LAST_ANSWER, &mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves `/metrics`, `/healthz` and `POST /kill` at `address`.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn listen(
    address: SocketAddr,
    text: Text,
    switch: KillSwitch,
) -> std::io::Result<Listening> {
    let socket = tokio::net::TcpListener::bind(address).await?;
    let address = socket.local_addr()?;
    let scraped = Arc::new(Notify::new());
    let notify = Arc::clone(&scraped);
    let answer = move || async move {
        notify.notify_waiters();
        ([(CONTENT_TYPE, METRICS_TYPE)], text())
    };
    let routes = Router::new()
        .route("/metrics", get(answer))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/kill", post(kill).with_state(Arc::new(switch)))
        .into_make_service_with_connect_info::<SocketAddr>();
    let end = Arc::new(Notify::new());
    let ended = Arc::clone(&end);
    let task = tokio::spawn(async move {
        let serving = axum::serve(socket, routes);
        // A failed accept is logged by nobody and repeated by axum.
        let _ = serving.with_graceful_shutdown(async move { ended.notified().await }).await;
    });
    Ok(Listening { address, task, scraped, end })
}
