//! An HTTP server whose answers a test writes, and which counts what it is asked.
#![allow(dead_code, reason = "each test uses some of it")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode},
};
use tokio::net::TcpListener;

type Respond = dyn Fn(&HeaderMap) -> Response<Body> + Send + Sync;

#[derive(Clone)]
pub struct Web {
    address: SocketAddr,
    pages: Pages,
}

#[derive(Clone, Default)]
struct Pages {
    answers: Arc<Mutex<HashMap<String, Arc<Respond>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages = Pages::default();
        let app = Router::new().fallback(answer).with_state(pages.clone());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { address, pages }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers `path` with what `respond` makes of the request's headers.
    pub fn page(
        &self,
        path: &str,
        respond: impl Fn(&HeaderMap) -> Response<Body> + Send + Sync + 'static,
    ) {
        let mut answers = self.pages.answers.lock().unwrap();
        answers.insert(path.to_owned(), Arc::new(respond));
    }

    /// Answers `path` with `body`.
    pub fn text(&self, path: &str, body: impl Into<String>) {
        let body = body.into();
        self.page(path, move |_| Response::new(Body::from(body.clone())));
    }

    /// Answers `path` with `status` and the header `name: value`.
    pub fn status(&self, path: &str, status: u16, header: Option<(&'static str, String)>) {
        self.page(path, move |_| {
            let mut response = Response::builder().status(status);
            if let Some((name, value)) = &header {
                response = response.header(*name, value);
            }
            response.body(Body::empty()).unwrap()
        });
    }

    /// Never answers `path`.
    pub fn hang(&self, path: &str) {
        self.page(path, |_| {
            let never =
                futures_util::stream::pending::<Result<Vec<u8>, std::convert::Infallible>>();
            Response::new(Body::from_stream(never))
        });
    }

    /// A discovery document for `issuer`, at the place for it under `path`.
    pub fn discovery(&self, path: &str, issuer: &str, jwks_uri: &str) {
        let document = format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{jwks_uri}\"}}");
        self.text(
            &format!("{path}/.well-known/openid-configuration"),
            document,
        );
    }

    /// The paths asked for so far, in order.
    pub fn asked(&self) -> Vec<String> {
        self.pages.asked.lock().unwrap().clone()
    }

    /// How often `path` was asked for.
    pub fn count(&self, path: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|one| *one == path).count()
    }
}

async fn answer(State(pages): State<Pages>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let respond = pages.answers.lock().unwrap().get(&path).cloned();
    pages.asked.lock().unwrap().push(path);
    match respond {
        Some(respond) => respond(request.headers()),
        None => Response::builder()
            .status(StatusCode::NOT_FOUND)
            .body(Body::empty())
            .unwrap(),
    }
}
