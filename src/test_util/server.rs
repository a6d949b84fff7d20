//! Test issuers over HTTP, with the paths and responses of Camunda's own installations.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    access::permission::Permission,
    test_util::{TestIssuer, issuer::Shape, token_endpoint::token},
};

/// Development issuers on loopback, each with its own keys and tokens: a Self-Managed realm under
/// `/auth/realms/camunda-platform`, and Camunda SaaS at the root.
///
/// | request | answer |
/// |---|---|
/// | `GET …/.well-known/openid-configuration` | discovery |
/// | `GET …/protocol/openid-connect/certs`, `GET /.well-known/jwks.json` | the key set |
/// | `POST …/protocol/openid-connect/token` | a Self-Managed token for one of the [`CLIENTS`](TestServer::CLIENTS), valid for 5 minutes |
/// | `POST /oauth/token`, form or JSON, with `audience=api.cloud.camunda.io` | a SaaS token, valid for 24 hours |
///
/// Dropping it stops the server.
#[derive(Debug)]
pub struct TestServer {
    issuers: Issuers,
    address: SocketAddr,
    /// Dropping it stops the server.
    _task: JoinSet<()>,
}

#[derive(Clone, Debug)]
struct Issuers {
    self_managed: TestIssuer,
    saas: TestIssuer,
}

/// Machine client of the [`TestServer`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TestClient {
    /// `client_id`.
    pub id: &'static str,
    /// `client_secret`.
    pub secret: &'static str,
    /// Permissions of the client's tokens.
    pub permissions: &'static [Permission],
    /// `true` if the client's Self-Managed tokens are for the internal API only, so that no service
    /// behind the layer may accept them.
    pub is_internal: bool,
}

const REALM: &str = "/auth/realms/camunda-platform";

impl TestServer {
    /// All clients.
    pub const CLIENTS: &[TestClient] = &[
        TestClient {
            id: "all",
            secret: "all-secret",
            permissions: &Permission::ALL,
            is_internal: false,
        },
        TestClient {
            id: "writer",
            secret: "writer-secret",
            permissions: &[Permission::Create, Permission::Read, Permission::Update],
            is_internal: false,
        },
        TestClient {
            id: "reader",
            secret: "reader-secret",
            permissions: &[Permission::Read],
            is_internal: false,
        },
        TestClient {
            id: "nobody",
            secret: "nobody-secret",
            permissions: &[],
            is_internal: false,
        },
        TestClient {
            id: "internal",
            secret: "internal-secret",
            permissions: &[],
            is_internal: true,
        },
    ];

    /// Starts a server on `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// An error if `address` is not loopback, since anyone who reaches the server gets tokens, or
    /// if it cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let problem =
                format!("a development issuer must listen on loopback, but {address} is not");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let host = match address {
            SocketAddr::V4(v4) if v4.ip().octets() != [127, 0, 0, 1] => address.to_string(),
            _ => format!("localhost:{}", address.port()),
        };
        let issuers = Issuers {
            self_managed: TestIssuer::new(
                format!("http://{host}{REALM}"),
                Shape::SelfManaged,
                Some(format!("http://{address}{REALM}")),
            ),
            saas: TestIssuer::new(
                format!("http://{host}/"),
                Shape::Saas,
                Some(format!("http://{address}/")),
            ),
        };
        let mut task = JoinSet::new();
        task.spawn(serve(listener, issuers.clone()));
        Ok(Self {
            issuers,
            address,
            _task: task,
        })
    }

    /// Returns the address on which the server listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the issuer of the Self-Managed realm.
    #[must_use]
    pub fn self_managed(&self) -> &TestIssuer {
        &self.issuers.self_managed
    }

    /// Returns the issuer that imitates Camunda SaaS.
    #[must_use]
    pub fn saas(&self) -> &TestIssuer {
        &self.issuers.saas
    }

    /// Returns the URL of the Self-Managed realm's token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!(
            "{}/protocol/openid-connect/token",
            self.self_managed().name()
        )
    }
}

async fn serve(listener: TcpListener, issuers: Issuers) {
    let mut connections = JoinSet::new();
    loop {
        // The server must not stop if file descriptors run out.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let issuers = issuers.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let issuers = issuers.clone();
                async move { Ok::<_, Infallible>(issuers.answer(request).await) }
            });
            // A broken connection concerns only its client.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Issuers {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let (issuer, path) = match path.strip_prefix(REALM) {
            Some(path) => (&self.self_managed, path),
            None => (&self.saas, path.as_str()),
        };
        let is_saas = issuer.shape() == Shape::Saas;
        let keys_path = if is_saas {
            "/.well-known/jwks.json"
        } else {
            "/protocol/openid-connect/certs"
        };
        let token_path = if is_saas {
            "/oauth/token"
        } else {
            "/protocol/openid-connect/token"
        };
        match (request.method(), path) {
            (&Method::GET, "/.well-known/openid-configuration") if issuer.is_failing() => {
                empty(StatusCode::SERVICE_UNAVAILABLE)
            }
            (&Method::GET, "/.well-known/openid-configuration") => {
                let base = issuer.name().trim_end_matches('/');
                json_response(
                    StatusCode::OK,
                    &json!({
                        "issuer": issuer.name(),
                        "jwks_uri": format!("{base}{keys_path}"),
                        "token_endpoint": format!("{base}{token_path}"),
                        "grant_types_supported": ["client_credentials"],
                        "token_endpoint_auth_methods_supported":
                            ["client_secret_basic", "client_secret_post"],
                    }),
                )
            }
            (&Method::GET, path) if path == keys_path => match issuer.fetch_jwks() {
                Some(jwks) => {
                    let mut response = text_response(StatusCode::OK, jwks);
                    let no_cache = HeaderValue::from_static("no-cache");
                    response
                        .headers_mut()
                        .insert(header::CACHE_CONTROL, no_cache);
                    response
                }
                None => empty(StatusCode::SERVICE_UNAVAILABLE),
            },
            (&Method::POST, path) if path == token_path => match token(issuer, request).await {
                Ok(answer) => json_response(StatusCode::OK, &answer),
                Err((status, code)) => json_response(status, &json!({"error": code})),
            },
            _ => empty(StatusCode::NOT_FOUND),
        }
    }
}

fn json_response(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    let body = serde_json::to_string(body).expect("names and texts are JSON");
    text_response(status, body)
}

fn text_response(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
