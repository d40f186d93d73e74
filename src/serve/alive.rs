//! The dead-man switch of a tool that asks over HTTP whether anybody watches.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::http::StatusCode;
use tokio::task::JoinHandle;

use crate::handoff::supervise::Alive;

/// A listener that answers 200 while the supervisor lives; it ends when this is dropped.
pub struct Watching {
    /// Where to ask.
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers on the loopback alone. The port is made from the handoff's name, so that the next supervisor answers
/// where the tool asks already; where it is taken, any other one is as good, and the tool is told.
///
/// # Errors
///
/// No port can be had.
pub async fn listen_alive(handoff: &str, alive: Alive) -> std::io::Result<Watching> {
    let socket = match tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port_of(handoff))).await
    {
        Ok(socket) => socket,
        Err(_) => tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    let address: SocketAddr = socket.local_addr()?;
    let answer = move || async move {
        if alive.is_fresh() { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS }
    };
    let routes = Router::new().fallback(answer);
    let task = tokio::spawn(async move {
        // A failed accept is repeated by axum.
        let _ = axum::serve(socket, routes).await;
    });
    Ok(Watching { url: format!("http://{address}/alive"), task })
}

/// Between the ports of well-known services and those that the kernel gives to connections (from 32768 on).
fn port_of(handoff: &str) -> u16 {
    let hash = handoff
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Below 12,000.
    20_000 + u16::try_from(hash % 12_000).unwrap_or_default()
}
