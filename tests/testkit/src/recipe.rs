//! Requests for the snippets of `docs/recipes.md`.

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, request::Builder},
    response::Response,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt as _;

/// Runs a snippet.
///
/// # Panics
/// If the snippet returns an error, or takes more than 60 s.
pub fn run(snippet: impl Future<Output = Result<(), Box<dyn Error>>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = runtime
        .expect("a runtime")
        .block_on(async { tokio::time::timeout(Duration::from_secs(60), snippet).await });
    let result = result.expect("the snippet ends within 60 s");
    result.expect("the snippet returns no error");
}

/// Returns a request such as `GET /orders`, with the token if there is one.
///
/// # Panics
/// If `line` is not a method, a space and a path.
pub fn request(line: &str, token: Option<&str>) -> Builder {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let request = Request::builder().method(method).uri(path);
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

/// Sends a request, and returns the response.
///
/// # Panics
/// If the request is malformed.
pub async fn send(app: &Router, request: Builder, body: impl Into<Body>) -> Response {
    let request = request.body(body.into()).expect("a request");
    let Ok(response) = app.clone().oneshot(request).await;
    response
}

/// Sends a request such as `GET /orders`, and returns the status.
pub async fn status(app: &Router, line: &str, token: Option<&str>) -> StatusCode {
    send(app, request(line, token), ()).await.status()
}

/// Returns the body as text.
///
/// # Panics
/// If the body is no text, or longer than 64 KiB.
pub async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 16).await;
    String::from_utf8(body.expect("a body").into()).expect("text")
}

/// Serves `app` on loopback.
///
/// # Panics
/// If no port is free.
pub async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Connection whose bytes a snippet writes and reads.
pub struct Connection(TcpStream);

impl Connection {
    /// Connects, and sends a GET request with `headers`, each of which ends with CRLF.
    ///
    /// # Errors
    /// If the server does not accept the connection.
    pub async fn get(address: SocketAddr, path: &str, headers: &str) -> std::io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await?;
        Ok(Self(stream))
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Reads bytes until they contain `end`, or the connection is closed, and returns them as text.
    ///
    /// # Errors
    /// If the connection fails.
    pub async fn read_until(&mut self, end: &str) -> std::io::Result<String> {
        let mut text = String::new();
        while !text.contains(end) {
            let mut bytes = [0; 1024];
            match self.0.read(&mut bytes).await? {
                0 => break,
                count => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
        Ok(text)
    }
}
