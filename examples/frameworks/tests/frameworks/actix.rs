//! The service with actix-web, over HTTP, and its conversion of requests.

use actix_web::{
    App, HttpServer,
    http::{
        Method, Version,
        header::{HeaderName, HeaderValue},
    },
    test::{TestRequest, call_service, init_service, read_body},
};
use modeler_auth_frameworks::actix::{Authenticated, parts, routes};

use crate::requests::{Layered, assert_answers_over_http};

#[tokio::test]
async fn r7_the_answers_of_actix_are_those_of_the_layer() {
    let layered = Layered::new();
    let validator = layered.validator.clone();
    let server = HttpServer::new(move || App::new().configure(routes(validator.clone())));
    let server = server.workers(1).disable_signals();
    let server = server.bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    assert_answers_over_http(&layered, address).await;
    handle.stop(false).await;
}

#[test]
fn all_values_of_a_header_are_converted_in_order() {
    let every_byte = (b' '..=0xff).filter(|byte| *byte != 0x7f).chain([b'\t']);
    let every_byte: Vec<u8> = every_byte.collect();
    let sent: [(&str, &[u8]); 6] = [
        ("authorization", b"Bearer a"),
        ("x-bytes", &every_byte),
        ("authorization", b"Bearer b"),
        ("authorization", b"\xff"),
        ("authorization", b""),
        ("x-bytes", b"second"),
    ];
    let mut request = TestRequest::get();
    for (name, value) in sent {
        let value = HeaderValue::from_bytes(value).unwrap();
        request = request.append_header((HeaderName::from_static(name), value));
    }
    let parts = parts(&request.to_http_request()).unwrap();
    assert_eq!(parts.headers.len(), sent.len());
    for name in ["authorization", "x-bytes"] {
        let found = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.as_bytes());
        let expected = sent.iter().filter(|(sent, _)| *sent == name);
        assert!(found.eq(expected.map(|(_, value)| *value)), "{name}");
    }
}

#[test]
fn method_uri_and_version_are_converted() {
    for uri in [
        "/",
        "/a%2Fb//{\"c\"}?d=%ff&e#f",
        "/../x;y",
        "*",
        "http://[::1]:80/a?b",
        "http://user@example.com",
        "example.com:443",
    ] {
        for method in ["GET", "get", "PURGE", "QUERY", "M-SEARCH"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = TestRequest::with_uri(uri).method(method).to_http_request();
            let parts = parts(&request).unwrap();
            assert_eq!(parts.uri.to_string(), request.uri().to_string());
            assert_eq!(parts.uri.path(), request.uri().path());
            assert_eq!(parts.method.as_str(), request.method().as_str());
        }
    }
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let request = TestRequest::default().version(version).to_http_request();
        let parts = parts(&request).unwrap();
        assert_eq!(format!("{:?}", parts.version), format!("{version:?}"));
    }
}

/// http 0.2 allows `"` in the name of a header, http 1 does not.
#[tokio::test]
async fn a_header_that_cannot_be_converted_is_400() {
    let layered = Layered::new();
    let app = init_service(App::new().configure(routes(layered.validator))).await;
    let request = || TestRequest::with_uri("/hello");
    let name = HeaderName::from_bytes(b"x\"y").unwrap();
    let odd = request().append_header((name, HeaderValue::from_static("z")));
    assert_eq!(call_service(&app, odd.to_request()).await.status(), 400);
    let plain = request().append_header(("xy", "z"));
    assert_eq!(call_service(&app, plain.to_request()).await.status(), 401);
}

#[tokio::test]
async fn without_a_validator_the_extractor_is_500() {
    let handler = async |_: Authenticated| "in";
    let app = App::new().default_service(actix_web::web::to(handler));
    let app = init_service(app).await;
    let response = call_service(&app, TestRequest::default().to_request()).await;
    assert_eq!(response.status(), 500);
}

/// Guards the note at `Authenticated`.
#[tokio::test]
async fn an_optional_extractor_accepts_an_invalid_token() {
    let layered = Layered::new();
    let handler = async |caller: Option<Authenticated>| caller.map_or("anonymous", |_| "known");
    let app = App::new().app_data(layered.validator);
    let app = init_service(app.default_service(actix_web::web::to(handler))).await;
    let request = TestRequest::default().append_header(("authorization", "Bearer junk"));
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(read_body(response).await, "anonymous");
}
