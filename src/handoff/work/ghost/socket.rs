//! gh-ost's socket: one command to a connection, answered in text, without a code that says how it went.

use std::io::{ErrorKind, Write as _};
use std::os::unix::net::UnixStream as Blocking;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// gh-ost answers within milliseconds, but writes to the server before it does, and waits for that.
const WITHIN: Duration = Duration::from_millis(900);

/// An answer is a few lines; whoever says more is not gh-ost.
const AT_MOST: u64 = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Silence {
    /// There is no socket: gh-ost makes it once it has looked at everything and made its tables, and removes it
    /// at its end.
    #[error("it has no socket yet, or no longer")]
    None,
    /// There is one, and nobody behind it.
    #[error("nobody listens at its socket")]
    Nobody,
    /// Somebody is there, and says nothing.
    #[error("its socket says nothing within {} ms", WITHIN.as_millis())]
    Mute,
    /// Something else.
    #[error("its socket cannot be used: {0}")]
    Broken(String),
}

impl Silence {
    fn of(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::None,
            ErrorKind::ConnectionRefused => Self::Nobody,
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// Sends a command, and returns what is answered until the other side closes.
pub(super) async fn ask(socket: &Path, command: &str) -> Result<String, Silence> {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        let mut answer = Vec::new();
        let read = stream.take(AT_MOST).read_to_end(&mut answer).await;
        // It dies while it answers `panic`: what it said until then counts.
        if answer.is_empty() {
            read?;
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    match tokio::time::timeout(WITHIN, exchange).await {
        Ok(answer) => answer.map_err(|error: std::io::Error| Silence::of(&error)),
        Err(_) => Err(Silence::Mute),
    }
}

/// Whether the socket was left behind: it is there, and nobody listens. One that cannot be tried is not.
pub(super) fn is_stale(socket: &Path) -> bool {
    match Blocking::connect(socket) {
        Ok(mut stream) => {
            // Else gh-ost would wait for a command.
            let _ = stream.write_all(b"\n");
            false
        }
        Err(error) => Silence::of(&error) == Silence::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::net::UnixListener;

    #[tokio::test]
    async fn silence_is_told_apart_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert_eq!(ask(&path, "sup").await, Err(Silence::None));
        assert!(!is_stale(&path));
        let listener = UnixListener::bind(&path).unwrap();
        let begun = Instant::now();
        assert_eq!(ask(&path, "sup").await, Err(Silence::Mute));
        assert!(begun.elapsed() < WITHIN + Duration::from_millis(300));
        assert!(!is_stale(&path));
        drop(listener);
        assert_eq!(ask(&path, "sup").await, Err(Silence::Nobody));
        assert!(is_stale(&path));
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_and_no_further_than_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move {
            for size in [0_usize, 3, 10_000_000] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 64];
                let read = stream.read(&mut asked).await.unwrap();
                assert_eq!(&asked[..read], b"sup\n");
                let _ = stream.write_all(&vec![0xff; size]).await;
            }
        });
        assert_eq!(ask(&path, "sup").await.unwrap(), "");
        assert_eq!(ask(&path, "sup").await.unwrap(), "\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(ask(&path, "sup").await.unwrap().chars().count() as u64, AT_MOST);
        server.await.unwrap();
    }
}
