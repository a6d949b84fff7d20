//! Benchmark of the time that the layer adds to a bare service, axum and tonic.
//!
//! ```text
//! cargo bench --bench layer
//! ```

#[path = "support/calls.rs"]
mod calls;
mod support;
#[path = "../examples/tonic/generated.rs"]
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, unreachable_pub)]
mod generated;

use std::{convert::Infallible, hint::black_box};

use calls::{axum, bare, call, request};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use generated::{
    CreateProjectRequest, GetProjectRequest, Project,
    projects_server::{Projects, ProjectsServer},
};
use http::Request;
use modeler_auth::AuthLayer;
use prost::Message as _;
use support::{Signer, hostile_tokens, keycloak_claims};
use tonic::body::Body;
use tower::{Layer as _, Service};

fn measure<S, B>(
    criterion: &mut Criterion,
    [group, name]: [&str; 2],
    request: impl Fn() -> Request<B>,
    mut service: S,
) where
    S: Service<Request<B>, Error = Infallible>,
{
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            &request,
            |request| black_box(call(&mut service, request)),
            BatchSize::SmallInput,
        );
    });
}

struct Echo;

#[tonic::async_trait]
impl Projects for Echo {
    async fn create_project(
        &self,
        request: tonic::Request<CreateProjectRequest>,
    ) -> Result<tonic::Response<Project>, tonic::Status> {
        let CreateProjectRequest { name } = request.into_inner();
        let id = String::new();
        Ok(tonic::Response::new(Project { id, name }))
    }

    async fn get_project(
        &self,
        _: tonic::Request<GetProjectRequest>,
    ) -> Result<tonic::Response<Project>, tonic::Status> {
        Err(tonic::Status::not_found("none"))
    }
}

/// A unary call as it comes over the wire.
fn grpc_request(token: &str) -> Request<Body> {
    let name = "a name".to_owned();
    let message = CreateProjectRequest { name }.encode_to_vec();
    let length = u32::try_from(message.len()).expect("a short message");
    let frame = [&[0][..], &length.to_be_bytes(), &message].concat();
    Request::post("/modeler.v1.Projects/CreateProject")
        .header("content-type", "application/grpc")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::new(axum::body::Body::from(frame)))
        .expect("a good request")
}

fn layer(criterion: &mut Criterion) {
    let signer = Signer::new("RS256");
    let token = signer.sign(&keycloak_claims(0));
    let expired = hostile_tokens(&signer).find(|(name, _)| *name == "expired");
    let (_, expired) = expired.expect("it is among them");
    let tonic = || ProjectsServer::new(Echo);

    measure(criterion, ["bare", "open"], || request(&token), bare());
    let router = axum().into_service();
    measure(criterion, ["axum", "open"], || request(&token), router);
    measure(
        criterion,
        ["tonic", "open"],
        || grpc_request(&token),
        tonic(),
    );
    for (name, cache, token) in [
        ("hit", 16 << 20, &token),
        ("cold", 0, &token),
        ("expired", 0, &expired),
    ] {
        let layer = AuthLayer::new(signer.validator(cache));
        let guarded = layer.layer(bare());
        measure(criterion, ["bare", name], || request(token), guarded);
        let router = axum().layer(layer).into_service();
        measure(criterion, ["axum", name], || request(token), router);
        let layer = AuthLayer::new_for_grpc(signer.validator(cache));
        let guarded = layer.layer(tonic());
        measure(criterion, ["tonic", name], || grpc_request(token), guarded);
    }
}

criterion_group!(benches, layer);
criterion_main!(benches);
