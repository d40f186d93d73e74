//! A relay between runner and server: it cuts, is away, falls silent, and leads elsewhere.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::database::Login;

/// What becomes of a connection that is made now.
#[derive(Clone)]
enum Way {
    /// It is carried to that address.
    To(String),
    /// It is closed at once.
    Closed,
    /// It is accepted, and nothing is ever said.
    Silent,
}

/// A relay on a port of its own.
pub struct Relay {
    port: u16,
    wire: Arc<Wire>,
}

struct Wire {
    way: Mutex<Way>,
    streams: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// One that leads to the server of that URL.
    pub fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Mutex::new(Way::To(address(url)));
        let wire = Arc::new(Wire { way, streams: Mutex::new(Vec::new()) });
        let shared = Arc::clone(&wire);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                shared.take(client.unwrap());
            }
        });
        Self { port, wire }
    }

    /// The URL by way of the relay.
    pub fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        for stream in self.wire.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn go(&self, way: Way) {
        *self.wire.way.lock().unwrap() = way;
        self.cut();
    }

    /// Cuts, and lets nobody in.
    pub fn close(&self) {
        self.go(Way::Closed);
    }

    /// Cuts, and answers nobody.
    pub fn fall_silent(&self) {
        self.go(Way::Silent);
    }

    /// Cuts, and leads to the server of that URL from now on.
    pub fn lead_to(&self, url: &str) {
        self.go(Way::To(address(url)));
    }
}

fn address(url: &str) -> String {
    let login = Login::of(url);
    format!("{}:{}", login.host, login.port)
}

impl Wire {
    fn take(&self, client: TcpStream) {
        let way = self.way.lock().unwrap();
        match &*way {
            Way::Closed => {}
            Way::Silent => self.streams.lock().unwrap().push(client),
            // A server that is not there is as good as one that closes.
            Way::To(server) => {
                let Ok(server) = TcpStream::connect(server) else { return };
                let mut streams = self.streams.lock().unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                    streams.push(stream.try_clone().unwrap());
                }
                pump(client.try_clone().unwrap(), server.try_clone().unwrap());
                pump(server, client);
            }
        }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
