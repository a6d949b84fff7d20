//! What the layer adds to a service: a bare one, and axum.
//!
//! ```text
//! cargo bench --bench layer
//! ```

mod support;

use std::{
    convert::Infallible,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, body::Body, routing::get};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response};
use modeler_auth::AuthLayer;
use support::{Signer, hostile_tokens, keycloak_claims};
use tower::{Layer as _, Service, service_fn};

fn request(token: &str) -> Request<Body> {
    Request::get("/")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a good request")
}

/// Calls `service` as a server would, without waiting.
fn call<S>(service: &mut S, request: Request<Body>) -> S::Response
where
    S: Service<Request<Body>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => unreachable!("nothing waits"),
    }
}

fn measure<S>(criterion: &mut Criterion, group: &str, name: &str, token: &str, mut service: S)
where
    S: Service<Request<Body>, Error = Infallible>,
{
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || request(token),
            |request| black_box(call(&mut service, request)),
            BatchSize::SmallInput,
        );
    });
}

fn layer(criterion: &mut Criterion) {
    let signer = Signer::new("RS256");
    let token = signer.sign(&keycloak_claims(0));
    let expired = hostile_tokens(&signer).find(|(name, _)| *name == "expired");
    let (_, expired) = expired.expect("it is among them");

    let bare =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let axum = Router::new().route("/", get(async || ()));
    measure(criterion, "bare", "open", &token, bare);
    measure(
        criterion,
        "axum",
        "open",
        &token,
        axum.clone().into_service(),
    );
    for (name, cache, token) in [
        ("hit", 16 << 20, &token),
        ("cold", 0, &token),
        ("expired", 0, &expired),
    ] {
        let layer = AuthLayer::new(signer.validator(cache));
        measure(criterion, "bare", name, token, layer.layer(bare));
        let axum = axum.clone().layer(layer);
        measure(criterion, "axum", name, token, axum.into_service());
    }
}

criterion_group!(benches, layer);
criterion_main!(benches);
