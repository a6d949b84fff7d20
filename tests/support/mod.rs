//! Helpers that several tests share.
#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use modeler_auth::{
    Issuer, TokenValidator,
    keys::{KeyFetch, KeyFetchError, KeyFetchErrorKind, KeyFuture, KeyRequest, KeySource},
    test_util::{TestClock, TestIssuer},
};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

pub fn validator(issuers: impl IntoIterator<Item = Issuer>) -> TokenValidator {
    let builder = issuers
        .into_iter()
        .fold(TokenValidator::builder(), |builder, issuer| {
            builder.issuer(issuer)
        });
    builder.build().unwrap()
}

/// The reason of the rejection if `validator` rejects `token`.
pub async fn reason(validator: &TokenValidator, token: &str) -> Option<&'static str> {
    validator
        .validate(token)
        .await
        .err()
        .map(|error| error.reason())
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Sends a request through `app`, without a network.
pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// `GET path` with `token`.
pub async fn get(app: &Router, path: &str, token: &str) -> Answer {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    send(app, request).await
}

/// Key source of a [`TestIssuer`] whose fetches wait until the test releases them.
#[derive(Clone)]
pub struct GatedKeys {
    pub issuer: TestIssuer,
    gate: Arc<Semaphore>,
    started: Arc<AtomicUsize>,
}

impl GatedKeys {
    pub fn new(issuer: &TestIssuer) -> Self {
        Self {
            issuer: issuer.clone(),
            gate: Arc::new(Semaphore::new(0)),
            started: Arc::default(),
        }
    }

    /// Releases `fetches` fetches.
    pub fn open(&self, fetches: usize) {
        self.gate.add_permits(fetches);
    }

    /// The number of fetches that have started.
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }
}

impl KeySource for GatedKeys {
    fn fetch<'a>(&'a self, request: KeyRequest<'a>) -> KeyFuture<'a> {
        Box::pin(async move {
            self.started.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            self.issuer.fetch(request).await
        })
    }
}

/// A validator with one issuer that uses these keys. Its clock stands still, so a slow machine does not
/// change the outcome.
pub fn gated(keys: &GatedKeys) -> TokenValidator {
    let issuer = Issuer::oidc(keys.issuer.name()).audience("test");
    let builder = TokenValidator::builder().issuer(issuer.keys(keys.clone()));
    builder.clock(TestClock::new()).build().unwrap()
}

type Script = dyn Fn(usize) -> Result<KeyFetch, KeyFetchError> + Send + Sync;

/// Key source that calls a closure with the number of earlier fetches.
#[derive(Clone)]
pub struct ScriptedKeys {
    script: Arc<Script>,
    asked: Arc<Mutex<usize>>,
}

impl ScriptedKeys {
    pub fn new(
        script: impl Fn(usize) -> Result<KeyFetch, KeyFetchError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            script: Arc::new(script),
            asked: Arc::default(),
        }
    }

    pub fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl KeySource for ScriptedKeys {
    fn fetch<'a>(&'a self, _request: KeyRequest<'a>) -> KeyFuture<'a> {
        Box::pin(async move {
            let before = {
                let mut asked = self.asked.lock().unwrap();
                *asked += 1;
                *asked - 1
            };
            (self.script)(before)
        })
    }
}

pub fn failure() -> KeyFetchError {
    KeyFetchError::new(KeyFetchErrorKind::Connect, "the test says so")
}
