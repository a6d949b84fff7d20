//! HTTPS server with a certificate from a test CA, and a proxy.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use modeler_auth::test_util::TestIssuer;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// Time in which a certificate is valid.
#[derive(Clone, Copy)]
pub enum Validity {
    Past,
    Present,
    Future,
}

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Serves the discovery document and the keys of `issuer`, an OpenID provider, with a
    /// certificate for `host`.
    pub async fn serve(&self, issuer: TestIssuer, host: &str, validity: Validity) -> SocketAddr {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        match validity {
            Validity::Past => params.not_after = date_time_ymd(2020, 1, 1),
            Validity::Present => {}
            Validity::Future => params.not_before = date_time_ymd(2100, 1, 1),
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        listen(issuer, &certificate, &key).await
    }

    /// Returns the server's side of TLS, with a certificate for each of `hosts`.
    pub fn acceptor(&self, hosts: Vec<String>) -> TlsAcceptor {
        let params = CertificateParams::new(hosts).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(&certificate, &key)
    }
}

/// Serves like [`Authority::serve`], with a self-signed certificate for `host`. Returns the certificate
/// in PEM form, too.
pub async fn serve_self_signed(
    issuer: TestIssuer,
    host: &str,
    is_ca: bool,
) -> (SocketAddr, String) {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let address = listen(issuer, &certificate, &key).await;
    (address, certificate.pem())
}

fn acceptor(certificate: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn listen(issuer: TestIssuer, certificate: &Certificate, key: &KeyPair) -> SocketAddr {
    let acceptor = acceptor(certificate, key);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let head = read_head(&mut stream).await;
            let body = if head.contains("openid-configuration") {
                let name = issuer.name();
                format!(r#"{{"issuer":"{name}","jwks_uri":"{name}/jwks"}}"#)
            } else {
                issuer.jwks()
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

pub async fn read_head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A proxy that connects every `CONNECT` request to `target`, for any host name.
pub struct ConnectProxy {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl ConnectProxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let head = read_head(&mut client).await;
                assert!(head.starts_with("CONNECT "), "{head}");
                count.fetch_add(1, Ordering::SeqCst);
                let mut server = TcpStream::connect(target).await.unwrap();
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                tokio::spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self {
            address,
            connections,
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
