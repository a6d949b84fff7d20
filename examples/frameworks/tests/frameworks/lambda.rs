//! The function for AWS Lambda, with events as API Gateway and load balancers send them.

use std::convert::Infallible;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::{
    Adapter, Context, LambdaEvent, Service as _, request::LambdaRequest, service_fn,
};
use modeler_auth_frameworks::lambda::handle;
use serde_json::{Map, Value, json};

use crate::requests::{Answer, Case, Layered};

/// The answer of the function to an event, as the event source gets it.
async fn invoke(layered: &Layered, event: Value) -> Value {
    let event: LambdaRequest = serde_json::from_str(&event.to_string()).unwrap();
    let handler = service_fn(|request| handle(&layered.validator, request));
    let mut adapter = Adapter::from(handler);
    let event = LambdaEvent::new(event, Context::default());
    let response: Result<_, Infallible> = adapter.call(event).await;
    serde_json::to_value(response.unwrap()).unwrap()
}

fn answer(response: &Value) -> Answer {
    assert_eq!(response["isBase64Encoded"], json!(false), "{response}");
    let headers = response["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (
            name,
            HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
        )
    });
    let status = u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap();
    let body = Bytes::from(response["body"].as_str().unwrap().to_owned());
    Answer::new(status, &headers.collect::<HeaderMap>(), body)
}

/// The case with values that JSON text can carry: bytes beyond ASCII become characters.
fn in_json(mut case: Case) -> Case {
    for value in &mut case.authorization {
        let text: String = value.iter().copied().map(char::from).collect();
        *value = text.into_bytes();
    }
    case
}

fn texts(case: &Case) -> Vec<String> {
    let values = case.authorization.iter().cloned();
    values
        .map(|value| String::from_utf8(value).unwrap())
        .collect()
}

/// Event of an HTTP API, payload format version 2.0.
fn api_gateway_event(case: &Case) -> Value {
    let (path, query) = case.target.split_once('?').unwrap_or((&case.target, ""));
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "content-length": "0",
            "host": "aaaaaaaaaa.execute-api.us-west-2.amazonaws.com",
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "aaaaaaaaaa",
            "domainName": "aaaaaaaaaa.execute-api.us-west-2.amazonaws.com",
            "domainPrefix": "aaaaaaaaaa",
            "http": {
                "method": case.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "LV7fzho-PHcEJPw=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Apr/2026:15:08:21 +0000",
            "timeEpoch": 1_776_784_101_067_u64,
        },
        "isBase64Encoded": false,
    });
    if !case.authorization.is_empty() {
        event["headers"]["authorization"] = json!(texts(case).join(","));
    }
    event
}

/// Event of a load balancer whose target group has multi-value headers.
fn load_balancer_event(case: &Case) -> Value {
    let (path, query) = case.target.split_once('?').unwrap_or((&case.target, ""));
    let query: Map<_, _> = query
        .split_once('=')
        .map(|(name, value)| (name.to_owned(), json!([value])))
        .into_iter()
        .collect();
    let mut event = json!({
        "requestContext": {
            "elb": {
                "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/49e9d65c45c6791a",
            },
        },
        "httpMethod": case.method,
        "path": path,
        "multiValueQueryStringParameters": query,
        "multiValueHeaders": {
            "accept": ["*/*"],
            "host": ["lambda-alb-1234567.us-east-1.elb.amazonaws.com"],
            "user-agent": ["curl/8.5.0"],
            "x-amzn-trace-id": ["Root=1-5c536348-3d683b8b04734faae651f476"],
            "x-forwarded-for": ["192.0.2.1"],
            "x-forwarded-port": ["443"],
            "x-forwarded-proto": ["https"],
        },
        "body": "",
        "isBase64Encoded": false,
    });
    if !case.authorization.is_empty() {
        event["multiValueHeaders"]["authorization"] = json!(texts(case));
    }
    event
}

#[tokio::test]
async fn r7_the_answers_to_events_of_api_gateway_are_those_of_the_layer() {
    let layered = Layered::new();
    for case in layered.cases() {
        let mut case = in_json(case);
        let response = invoke(&layered, api_gateway_event(&case)).await;
        // API Gateway joins the values of a header.
        if !case.authorization.is_empty() {
            case.authorization = vec![texts(&case).join(",").into_bytes()];
        }
        let expected = layered.answer(&case).await;
        assert_eq!(answer(&response), expected, "{}", case.name);
    }
}

#[tokio::test]
async fn r7_the_answers_to_events_of_a_load_balancer_are_those_of_the_layer() {
    let layered = Layered::new();
    for case in layered.cases() {
        let case = in_json(case);
        let response = invoke(&layered, load_balancer_event(&case)).await;
        let expected = layered.answer(&case).await;
        assert_eq!(answer(&response), expected, "{}", case.name);
        // With multi-value headers, the load balancer reads these instead of `headers`.
        let many = response["multiValueHeaders"].as_object().unwrap();
        let first = many
            .iter()
            .map(|(name, values)| (name.clone(), values[0].clone()));
        assert_eq!(json!(first.collect::<Map<_, _>>()), response["headers"]);
        assert!(
            many.values()
                .all(|values| values.as_array().unwrap().len() == 1)
        );
    }
}

/// Guards the note in `src/lambda.rs`.
#[tokio::test]
async fn lambda_http_keeps_one_value_of_an_event_with_both_forms_of_headers() {
    let layered = Layered::new();
    let case = layered.case("junk last");
    let mut event = load_balancer_event(&case);
    assert_eq!(
        invoke(&layered, event.clone()).await["statusCode"],
        json!(400)
    );
    event["headers"] = json!({"authorization": texts(&case)[1]});
    assert_eq!(invoke(&layered, event).await["statusCode"], json!(401));
}

#[tokio::test]
async fn an_unknown_route_needs_a_token_and_is_404() {
    let layered = Layered::new();
    for (name, status) in [("no token", 401), ("good", 404)] {
        let mut case = layered.case(name);
        case.target = "/nowhere".to_owned();
        let response = invoke(&layered, api_gateway_event(&case)).await;
        assert_eq!(response["statusCode"], json!(status), "{name}");
    }
}
