//! One way to protect a route, ready to be called.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    hint::black_box,
    pin::Pin,
    time::{Duration, Instant},
};

use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use modeler_auth_testkit::heap;
use tower_service::Service;

use crate::{
    crypto::{self, Backend},
    issuer::Token,
};

/// How many requests are built at once; few enough to stay in the cache, as in a server.
const BATCH: u32 = 32;

pub struct Contender {
    name: String,
    backend: Backend,
    route: Box<dyn Route>,
}

impl Contender {
    /// `service` has its protected route at `/`.
    pub fn new<S, B, R>(name: impl Into<String>, backend: Backend, service: S) -> Self
    where
        S: Service<Request<B>, Response = Response<R>, Error = Infallible> + 'static,
        B: Default + 'static,
        R: 'static,
    {
        Self {
            name: name.into(),
            backend,
            route: Box::new(Behind {
                service,
                requests: Vec::new(),
            }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has to accept `token`.
    pub fn accepts(&self, token: &Token) -> bool {
        token.accepted || self.backend == Backend::None
    }

    pub async fn status(&mut self, token: &Token) -> StatusCode {
        crypto::choose(self.backend);
        self.route.prepare(&token.header, 1);
        self.route.status().await
    }

    /// The time of one call, from as many calls as take `at_least`.
    pub async fn time(&mut self, token: &Token, at_least: Duration) -> f64 {
        crypto::choose(self.backend);
        let accepted = self.accepts(token);
        let (mut spent, mut calls) = (Duration::ZERO, 0);
        while spent < at_least {
            self.route.prepare(&token.header, BATCH);
            let started = Instant::now();
            self.route.run(accepted).await;
            spent += started.elapsed();
            calls += BATCH;
        }
        spent.as_secs_f64() / f64::from(calls)
    }

    /// The number of allocations of one call.
    pub async fn allocations(&mut self, token: &Token) -> usize {
        crypto::choose(self.backend);
        self.route.prepare(&token.header, 1);
        let accepted = self.accepts(token);
        heap::start_counting();
        self.route.run(accepted).await;
        // All but the box of the future of `run`.
        heap::stop_counting() - 1
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Hides what differs in type: the peers are made for two versions of axum.
trait Route {
    /// Builds `count` requests.
    fn prepare(&mut self, header: &HeaderValue, count: u32);

    /// Sends one of them.
    fn status(&mut self) -> Boxed<'_, StatusCode>;

    /// Sends all of them.
    fn run(&mut self, accepted: bool) -> Boxed<'_, ()>;
}

struct Behind<S, B> {
    service: S,
    requests: Vec<Request<B>>,
}

impl<S, B, R> Behind<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
{
    async fn send(&mut self) -> Option<Response<R>> {
        let request = self.requests.pop()?;
        let Ok(()) = poll_fn(|cx| self.service.poll_ready(cx)).await;
        let Ok(response) = self.service.call(request).await;
        Some(response)
    }
}

impl<S, B, R> Route for Behind<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    B: Default,
{
    fn prepare(&mut self, header: &HeaderValue, count: u32) {
        let request = |_| {
            Request::get("/")
                .header(AUTHORIZATION, header)
                .body(B::default())
                .expect("a good request")
        };
        self.requests.extend((0..count).map(request));
    }

    fn status(&mut self) -> Boxed<'_, StatusCode> {
        Box::pin(async { self.send().await.expect("a prepared request").status() })
    }

    fn run(&mut self, accepted: bool) -> Boxed<'_, ()> {
        Box::pin(async move {
            while let Some(response) = self.send().await {
                assert_eq!(response.status().is_success(), accepted);
                black_box(response);
            }
        })
    }
}
