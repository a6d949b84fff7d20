//! A network in which every host leads to this process, over http and https.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::tls::{Authority, read_head};

/// Response to a URL and the head of a request: a status and a body.
pub type Respond = Arc<dyn Fn(&str, &str) -> (u16, String) + Send + Sync>;

/// Proxy that answers every request itself, and keeps a list of the URLs.
pub struct Network {
    address: SocketAddr,
    pub ca: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Network {
    /// Starts a network whose servers have certificates for the hosts in `urls`.
    pub async fn start(urls: impl IntoIterator<Item = &str>, respond: Respond) -> Self {
        let authority = Authority::new();
        let host = |url| Url::parse(url).unwrap().host_str().unwrap().to_owned();
        let acceptor = authority.acceptor(urls.into_iter().map(host).collect());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let list = Arc::clone(&asked);
        let respond: Respond = Arc::new(move |url, head| {
            list.lock().unwrap().push(url.to_owned());
            respond(url, head)
        });
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&respond)));
            }
        });
        Self {
            address,
            ca: authority.pem,
            asked,
        }
    }

    pub fn proxy(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, acceptor: TlsAcceptor, respond: Respond) {
    let head = read_head(&mut stream).await;
    let Some(host) = head.strip_prefix("CONNECT ") else {
        // A request for http carries the whole URL.
        return answer(&mut stream, &head, "", &respond).await;
    };
    let host = host.split(' ').next().unwrap();
    let origin = format!("https://{}", host.trim_end_matches(":443"));
    let opened = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    if let (Ok(()), Ok(mut stream)) = (opened, acceptor.accept(stream).await) {
        let head = read_head(&mut stream).await;
        answer(&mut stream, &head, &origin, &respond).await;
    }
}

async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    head: &str,
    origin: &str,
    respond: &Respond,
) {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (status, body) = respond(&format!("{origin}{target}"), head);
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
