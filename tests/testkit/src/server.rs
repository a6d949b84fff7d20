//! HTTP servers on a free port of the loopback address.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode},
};
use futures_util::stream;
use tokio::net::TcpListener;

/// Serves `app` until the runtime ends.
pub async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

type Respond = dyn Fn(&HeaderMap) -> Response<Body> + Send + Sync;

/// Server whose responses a test writes, and which keeps a list of its requests. A path without a
/// response is 404.
#[derive(Clone)]
pub struct Server {
    address: SocketAddr,
    pages: Pages,
}

#[derive(Clone, Default)]
struct Pages {
    responses: Arc<Mutex<HashMap<String, Arc<Respond>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn start() -> Self {
        let pages = Pages::default();
        let app = Router::new().fallback(respond).with_state(pages.clone());
        Self {
            address: serve(app).await,
            pages,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Responds to requests for `path` with what `respond` makes of the request's headers.
    pub fn page(
        &self,
        path: &str,
        respond: impl Fn(&HeaderMap) -> Response<Body> + Send + Sync + 'static,
    ) {
        let mut responses = self.pages.responses.lock().unwrap();
        responses.insert(path.to_owned(), Arc::new(respond));
    }

    /// Responds to requests for `path` with `body`.
    pub fn text(&self, path: &str, body: impl Into<String>) {
        let body = body.into();
        self.page(path, move |_| Response::new(Body::from(body.clone())));
    }

    /// Responds to requests for `path` with `body`, after `delay`.
    pub fn slow_text(&self, path: &str, delay: Duration, body: impl Into<String>) {
        let body = body.into();
        self.page(path, move |_| {
            let body = body.clone();
            let delayed = async move {
                tokio::time::sleep(delay).await;
                Ok::<_, Infallible>(body)
            };
            Response::new(Body::from_stream(stream::once(delayed)))
        });
    }

    /// Responds to requests for `path` with `status` and the header `name: value`.
    pub fn status(&self, path: &str, status: u16, header: Option<(&'static str, String)>) {
        self.page(path, move |_| {
            let mut response = Response::builder().status(status);
            if let Some((name, value)) = &header {
                response = response.header(*name, value);
            }
            response.body(Body::empty()).unwrap()
        });
    }

    /// Sends the head of a response to requests for `path`, and never its body.
    pub fn hang(&self, path: &str) {
        self.page(path, |_| {
            let never = stream::pending::<Result<Vec<u8>, Infallible>>();
            Response::new(Body::from_stream(never))
        });
    }

    /// Publishes a discovery document for `issuer`, at its well-known place below `path`.
    pub fn discovery(&self, path: &str, issuer: &str, jwks_uri: &str) {
        let document = format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{jwks_uri}\"}}");
        self.text(
            &format!("{path}/.well-known/openid-configuration"),
            document,
        );
    }

    /// Returns the paths asked for so far, in order.
    pub fn asked(&self) -> Vec<String> {
        self.pages.asked.lock().unwrap().clone()
    }

    /// Returns how often `path` was asked for.
    pub fn count(&self, path: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| *asked == path).count()
    }
}

async fn respond(State(pages): State<Pages>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let page = pages.responses.lock().unwrap().get(&path).cloned();
    pages.asked.lock().unwrap().push(path);
    match page {
        Some(page) => page(request.headers()),
        None => Response::builder()
            .status(StatusCode::NOT_FOUND)
            .body(Body::empty())
            .unwrap(),
    }
}
