//! `--listen`: `/metrics` and `/healthz`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use crate::observe::Metrics;

/// Prometheus 3 refuses a scrape whose content type it does not know.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A listener; it ends when this is dropped.
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves `/metrics` and `/healthz` at `address`.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn listen(address: SocketAddr, metrics: Arc<Metrics>) -> std::io::Result<Listening> {
    let socket = tokio::net::TcpListener::bind(address).await?;
    let address = socket.local_addr()?;
    let answer = move || async move { ([(CONTENT_TYPE, METRICS_TYPE)], metrics.text()) };
    let routes =
        Router::new().route("/metrics", get(answer)).route("/healthz", get(|| async { "ok\n" }));
    let task = tokio::spawn(async move {
        // It ends with the process; a failed accept is logged by nobody and repeated by axum.
        let _ = axum::serve(socket, routes).await;
    });
    Ok(Listening { address, task })
}
