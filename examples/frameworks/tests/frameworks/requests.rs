//! Requests that each service answers, and the answers of the layer.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, Request, header},
    routing::{delete, get},
};
use modeler_auth::{
    Access, AuthLayer, ByMethod, Permission, RequirePermissionLayer, TokenValidator,
    test_util::{TestClock, TestIssuer},
};
use tower::ServiceExt as _;

/// The headers of an answer that a client acts on.
const COMPARED: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
];

/// A request, and the status that it gets.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    pub method: &'static str,
    pub target: String,
    pub authorization: Vec<Vec<u8>>,
    status: u16,
}

impl Case {
    fn new(name: &'static str, route: &str, authorization: &[&[u8]], status: u16) -> Self {
        let (method, target) = match route.split_once(' ') {
            Some(("DELETE", target)) => ("DELETE", target),
            _ => ("GET", route),
        };
        Self {
            name,
            method,
            target: target.to_owned(),
            authorization: authorization.iter().map(|value| value.to_vec()).collect(),
            status,
        }
    }

    pub fn headers(&self) -> HeaderMap {
        let values = self.authorization.iter();
        let values = values.map(|value| HeaderValue::from_bytes(value).unwrap());
        values.map(|value| (header::AUTHORIZATION, value)).collect()
    }
}

/// What a client gets.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    headers: Vec<String>,
    pub body: Bytes,
}

impl Answer {
    pub fn new(status: u16, headers: &HeaderMap, body: Bytes) -> Self {
        let values = COMPARED.iter().flat_map(|name| {
            let values = headers.get_all(name).iter();
            values.map(move |value| format!("{name}: {value:?}"))
        });
        Self {
            status,
            headers: values.collect(),
            body,
        }
    }
}

/// The service behind the layer, and the issuers that its validator trusts.
pub struct Layered {
    pub validator: TokenValidator,
    issuer: TestIssuer,
    unreachable: TestIssuer,
    app: Router,
}

impl Layered {
    pub fn new() -> Self {
        let issuer = TestIssuer::self_managed();
        let unreachable = TestIssuer::oidc("https://unreachable.example/");
        unreachable.fail_fetches(true);
        let validator = TokenValidator::builder()
            .issuer(issuer.issuer())
            .issuer(unreachable.issuer())
            // It stands still, so that `Retry-After` does not change between two answers.
            .clock(TestClock::new())
            .build()
            .unwrap();
        let projects = Router::new()
            .route("/projects/{id}", delete(delete_project))
            .route_layer(RequirePermissionLayer::new(Permission::Delete));
        let app = Router::new()
            .route("/hello", get(hello))
            .route_layer(RequirePermissionLayer::new(ByMethod::new()))
            .merge(projects)
            .layer(AuthLayer::new(validator.clone()))
            .route("/health", get(|| async { "ok" }));
        Self {
            validator,
            issuer,
            unreachable,
            app,
        }
    }

    pub fn cases(&self) -> Vec<Case> {
        let bearer = |token: &str| format!("Bearer {token}").into_bytes();
        let token = || self.issuer.token().subject("ada");
        let reader = token().permissions([Permission::Read]).sign();
        let read = &*bearer(&reader);
        let write = &*bearer(&token().permissions([Permission::Delete]).sign());
        let expired = &*bearer(&token().expired().sign());
        let audience = &*bearer(&token().audience("another").sign());
        let elsewhere = TestIssuer::oidc("https://elsewhere.example/");
        let unknown = &*bearer(&elsewhere.token().sign());
        let keyless = &*bearer(&self.unreachable.token().sign());
        let lower = &*format!("bearer {reader}").into_bytes();
        let unsigned = &*bearer(&format!("{}.", reader.rsplit_once('.').unwrap().0));
        let cut = &*bearer(&reader[..reader.len() - 8]);
        let long = &*bearer(&"a".repeat(20_000));
        let list = &*[read, b", ", read].concat();
        let beyond_ascii = &*[b"Bearer \xe9\xff", reader.as_bytes()].concat();
        let in_query = &*format!("/hello?access_token={reader}");
        vec![
            Case::new("public", "/health", &[], 200),
            Case::new("public, with junk", "/health", &[b"Bearer junk"], 200),
            Case::new("no token", "/hello", &[], 401),
            Case::new("no token, other path", "DELETE /projects/7", &[], 401),
            Case::new("token in the query", in_query, &[], 401),
            Case::new("other scheme", "/hello", &[b"Basic YTpi"], 401),
            Case::new("two headers", "/hello", &[read, read], 400),
            Case::new("junk first", "/hello", &[b"Bearer junk", read], 400),
            Case::new("junk last", "/hello", &[read, b"Bearer junk"], 400),
            Case::new("two schemes", "/hello", &[b"Basic YTpi", read], 400),
            Case::new("an empty second header", "/hello", &[read, b""], 400),
            Case::new("an empty header", "/hello", &[b""], 401),
            Case::new("a list", "/hello", &[list], 400),
            Case::new("no token after the scheme", "/hello", &[b"Bearer"], 400),
            Case::new("two words", "/hello", &[b"Bearer a b"], 400),
            Case::new("bytes beyond ASCII", "/hello", &[beyond_ascii], 400),
            Case::new("junk", "/hello", &[b"Bearer junk"], 401),
            Case::new("long junk", "/hello", &[long], 401),
            Case::new("no signature", "/hello", &[unsigned], 401),
            Case::new("part of a signature", "/hello", &[cut], 401),
            Case::new("expired", "/hello", &[expired], 401),
            Case::new("wrong audience", "/hello", &[audience], 401),
            Case::new("unknown issuer", "/hello", &[unknown], 401),
            Case::new("keys unavailable", "/hello", &[keyless], 503),
            Case::new("no permission to read", "/hello", &[write], 403),
            Case::new("not to delete", "DELETE /projects/7", &[read], 403),
            Case::new("good", "/hello", &[read], 200),
            Case::new("good, with a query", "/hello?a=b", &[read], 200),
            Case::new("good, scheme in lower case", "/hello", &[lower], 200),
            Case::new("good, to delete", "DELETE /projects/7", &[write], 200),
        ]
    }

    pub fn case(&self, name: &str) -> Case {
        let mut cases = self.cases().into_iter();
        cases.find(|case| case.name == name).unwrap()
    }

    /// The answer of the layer to `case`.
    pub async fn answer(&self, case: &Case) -> Answer {
        let request = Request::builder().method(case.method).uri(&case.target);
        let mut request = request.body(Body::empty()).unwrap();
        *request.headers_mut() = case.headers();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 4096).await.unwrap();
        Answer::new(parts.status.as_u16(), &parts.headers, body)
    }
}

async fn hello(access: Access) -> String {
    format!("Hello, {}!", access.subject().unwrap_or("nobody"))
}

async fn delete_project(Path(id): Path<String>) -> String {
    format!("deleted {id}")
}

/// Asserts that the server at `address` answers each case as the layer does.
pub async fn assert_answers_over_http(layered: &Layered, address: std::net::SocketAddr) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for case in layered.cases() {
        let url = format!("http://{address}{}", case.target);
        let request = client.request(case.method.parse().unwrap(), url);
        let response = request.headers(case.headers()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer::new(status, &headers, response.bytes().await.unwrap());
        assert_eq!(answer, layered.answer(&case).await, "{}", case.name);
    }
}

#[tokio::test]
async fn the_layer_answers_with_these_statuses() {
    let layered = Layered::new();
    for case in layered.cases() {
        let answer = layered.answer(&case).await;
        assert_eq!(answer.status, case.status, "{}", case.name);
        let names = answer
            .headers
            .iter()
            .map(|header| header.split(':').next().unwrap());
        let expected = match answer.status {
            200 => vec!["content-type"],
            503 => vec!["content-type", "retry-after"],
            _ => vec!["content-type", "www-authenticate"],
        };
        assert_eq!(names.collect::<Vec<_>>(), expected, "{}", case.name);
        assert!(!answer.body.is_empty(), "{}", case.name);
    }
}
