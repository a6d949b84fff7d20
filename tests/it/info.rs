//! Versions of the info endpoint and the headers of their deprecation.

use std::time::{Duration, SystemTime};

use axum::{
    Router,
    body::Body,
    http::{Method, Request},
};
use modeler_auth::{
    AuthLayer, InfoService,
    camunda::{Deprecation, InfoVersion},
    test_util::TestIssuer,
};

use crate::support::{Answer, send, validator};

const DEPRECATION: [&str; 3] = ["deprecation", "sunset", "link"];

fn date(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn deprecation() -> Deprecation {
    Deprecation::since(date(1_790_812_800)).sunset(date(1_822_348_800))
}

/// `service` in a router, with a token for it.
struct App {
    app: Router,
    token: String,
}

impl App {
    fn new(service: InfoService) -> Self {
        let issuer = TestIssuer::self_managed();
        let app = Router::new()
            .route_service("/{version}/info", service.clone())
            .nest_service("/api", service.clone())
            .fallback_service(service)
            .layer(AuthLayer::new(validator([issuer.issuer()])));
        let token = issuer.token().sign();
        Self { app, token }
    }

    async fn ask(&self, method: Method, uri: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "evil.example")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty());
        send(&self.app, request.unwrap()).await
    }

    async fn get(&self, uri: &str) -> Answer {
        self.ask(Method::GET, uri).await
    }
}

fn links(answer: &Answer) -> Vec<&str> {
    let links = answer.headers.get_all("link").iter();
    links.map(|link| link.to_str().unwrap()).collect()
}

#[tokio::test]
async fn each_version_is_served_unless_it_is_left_out() {
    use InfoVersion::{Beta, V1, V2};

    let all = [Beta, V1, V2];
    for (service, served) in [
        (InfoService::new(), &all[..]),
        (InfoService::new().versions(all), &all),
        (InfoService::new().versions([V2]), &[V2]),
        (InfoService::new().versions([V1, V1]), &[V1]),
        (InfoService::new().versions([]), &[]),
    ] {
        let app = App::new(service);
        for version in all {
            let uri = format!("/api/{}/info", version.name());
            let is_served = served.contains(&version);
            for (method, status) in [(Method::GET, 200), (Method::HEAD, 200), (Method::POST, 405)] {
                let answer = app.ask(method.clone(), &uri).await;
                let status = if is_served { status } else { 404 };
                assert_eq!(answer.status, status, "{method} {uri}");
            }
        }
        assert_eq!(app.get("/api/v3/info").await.status, 404);
    }
}

#[tokio::test]
async fn r66_no_header_of_a_deprecation_unless_it_is_set() {
    let app = App::new(InfoService::new());
    for version in ["beta", "v1", "v2"] {
        let answer = app.get(&format!("/api/{version}/info")).await;
        for name in DEPRECATION {
            assert_eq!(answer.header(name), None, "{version}");
        }
    }
}

#[tokio::test]
async fn r66_the_old_versions_announce_their_end() {
    let documentation = "https://docs.example/hub#v1";
    let service = InfoService::new()
        .deprecation(deprecation().documentation(documentation))
        .unwrap();
    let app = App::new(service);
    for uri in [
        "/api/v1/info",
        "/v1/info",
        "/api/beta/info?x",
        "/a/b/c/v1/info",
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = app.ask(method, uri).await;
            assert_eq!(answer.status, 200, "{uri}");
            assert_eq!(answer.header("deprecation"), Some("@1790812800"));
            let sunset = answer.header("sunset");
            assert_eq!(sunset, Some("Fri, 01 Oct 2027 00:00:00 GMT"));
            assert_eq!(
                links(&answer),
                [
                    "<../v2/info>; rel=\"successor-version\"",
                    "<https://docs.example/hub#v1>; rel=\"deprecation\"",
                ]
            );
            let url = url::Url::parse("https://service.example").unwrap();
            let successor = url.join(uri).unwrap().join("../v2/info").unwrap();
            let path = uri.split('?').next().unwrap();
            let expected = path.replace("v1", "v2").replace("beta", "v2");
            assert_eq!(successor.path(), expected);
            assert_eq!(app.get(successor.path()).await.status, 200, "{uri}");
        }
    }
}

#[tokio::test]
async fn r66_other_responses_do_not() {
    let service = InfoService::new().deprecation(deprecation()).unwrap();
    let app = App::new(service.clone());
    let no_organization = TestIssuer::oidc("https://issuer.example/");
    let denied = App {
        app: Router::new()
            .fallback_service(service)
            .layer(AuthLayer::new(validator([no_organization.issuer()]))),
        token: no_organization.token().sign(),
    };
    let mut strange = App::new(InfoService::new().deprecation(deprecation()).unwrap());
    strange.token = "junk".to_owned();
    for (answer, status) in [
        (app.get("/api/v2/info").await, 200),
        (app.get("/api/v3/info").await, 404),
        (app.ask(Method::POST, "/api/v1/info").await, 405),
        (denied.get("/api/v1/info").await, 403),
        (strange.get("/api/v1/info").await, 401),
    ] {
        assert_eq!(answer.status, status);
        for name in DEPRECATION {
            assert_eq!(answer.header(name), None, "{status}");
        }
    }
}

#[tokio::test]
async fn r66_the_link_leads_to_no_version_that_is_missing_and_to_no_other_host() {
    let service = InfoService::new()
        .versions([InfoVersion::V1])
        .deprecation(Deprecation::since(date(0)))
        .unwrap();
    let answer = App::new(service).get("/api/v1/info").await;
    assert_eq!(answer.header("deprecation"), Some("@0"));
    assert_eq!(answer.header("sunset"), None);
    assert_eq!(links(&answer), [""; 0]);

    let app = App::new(InfoService::new().deprecation(deprecation()).unwrap());
    let long = format!("/{}/v1/info", "a".repeat(8192));
    for path in [
        long.as_str(),
        "//evil.example/v1/info",
        "/\",\"/v1/info",
        "/%0d%0aX:%20y/v1/info",
        "/../v1/info",
        "http://evil.example/v1/info",
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            links(&answer),
            ["<../v2/info>; rel=\"successor-version\""],
            "{path}"
        );
    }
}
