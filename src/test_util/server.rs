//! Test issuers over HTTP, with the paths and responses of Camunda's own installations.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::test_util::{TestClient, TestIssuer, issuer::Shape, token_endpoint::token};

/// Issuers on loopback for tests, each with its own keys and tokens: a Self-Managed realm, Camunda SaaS
/// and a plain OpenID provider. Their token endpoints know the clients that the test
/// [adds](TestServer::add_client), and no others.
///
/// | issuer | URL | key set | token endpoint |
/// |---|---|---|---|
/// | [`self_managed`](TestServer::self_managed) | `/auth/realms/camunda-platform` | `…/protocol/openid-connect/certs` | `…/protocol/openid-connect/token` |
/// | [`saas`](TestServer::saas) | `/` | `/.well-known/jwks.json` | `/oauth/token` |
/// | [`oidc`](TestServer::oidc) | `/oidc` | `/oidc/jwks` | `/oidc/token` |
///
/// - Each issuer has a discovery document.
/// - The token endpoints accept `client_credentials`, as a form or as JSON.
/// - Tokens are valid for 5 minutes, those of SaaS for 24 hours, unless the client sets another
///   lifetime.
/// - A request for a SaaS token needs `audience=api.cloud.camunda.io`. A client whose tokens have another
///   audience gets none there.
///
/// Dropping it stops the server.
///
/// ```
/// use std::time::Duration;
/// use modeler_auth::test_util::{TestClient, TestServer};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = TestServer::start("127.0.0.1:0".parse()?).await?;
/// server.add_client(TestClient::new("shop", "shop-secret").tokens(|token| {
///     token.claim("scope", "orders:read").expires_in(Duration::from_secs(30))
/// }));
/// // Pass these to the service, and to the client that gets a token.
/// let issuer = server.oidc().issuer();
/// let token_url = server.oidc().token_url();
/// assert!(token_url.ends_with("/oidc/token"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TestServer {
    issuers: Issuers,
    address: SocketAddr,
    /// Dropping it stops the server.
    _task: JoinSet<()>,
}

#[derive(Clone, Debug)]
struct Issuers {
    oidc: TestIssuer,
    saas: TestIssuer,
    self_managed: TestIssuer,
    /// Clients of all issuers, with distinct ids.
    clients: Arc<Mutex<Vec<TestClient>>>,
}

const OIDC: &str = "/oidc";
const REALM: &str = "/auth/realms/camunda-platform";

impl TestServer {
    /// Starts a server on `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// An error if `address` is not loopback, since anyone who reaches the server gets tokens, or
    /// if it cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let problem =
                format!("an issuer for tests must listen on loopback, but {address} is not");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let host = match address {
            SocketAddr::V4(v4) if v4.ip().octets() != [127, 0, 0, 1] => address.to_string(),
            _ => format!("localhost:{}", address.port()),
        };
        let issuer = |shape, path| {
            let url = Some(format!("http://{address}{path}"));
            TestIssuer::new(format!("http://{host}{path}"), shape, url)
        };
        let issuers = Issuers {
            oidc: issuer(Shape::Oidc, OIDC),
            saas: issuer(Shape::Saas, "/"),
            self_managed: issuer(Shape::SelfManaged, REALM),
            clients: Arc::default(),
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

    /// Returns the issuer that is a plain OpenID provider; its tokens have the audience `test`, unless
    /// their client sets another.
    #[must_use]
    pub fn oidc(&self) -> &TestIssuer {
        &self.issuers.oidc
    }

    /// Adds a client to all token endpoints. It replaces a client with the same id.
    pub fn add_client(&self, client: TestClient) {
        let mut clients = self.issuers.clients();
        clients.retain(|other| other.id() != client.id());
        clients.push(client);
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
    fn clients(&self) -> MutexGuard<'_, Vec<TestClient>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let (issuer, path) = if let Some(path) = path.strip_prefix(REALM) {
            (&self.self_managed, path)
        } else if let Some(path) = path.strip_prefix(OIDC) {
            (&self.oidc, path)
        } else {
            (&self.saas, path.as_str())
        };
        let keys_path = issuer.shape().keys_path();
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
                        "token_endpoint": issuer.token_url(),
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
            (&Method::POST, path) if path == issuer.shape().token_path() => {
                match token(issuer, || self.clients().clone(), request).await {
                    Ok(answer) => json_response(StatusCode::OK, &answer),
                    Err((status, code)) => json_response(status, &json!({"error": code})),
                }
            }
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
