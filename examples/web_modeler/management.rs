//! Management server: metrics and probes on a separate address, as of Web Modeler.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use modeler_auth::TokenValidator;
use tokio::{
    net::TcpListener,
    time::{MissedTickBehavior, interval},
};

/// Upper bounds in seconds of the buckets for the time of a check.
const BUCKETS: [f64; 10] = [
    10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3,
];

/// Interval at which recorded times are moved into buckets, if nobody fetches the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// Server of `/metrics` and the probes.
pub(crate) struct Management {
    listener: TcpListener,
    metrics: PrometheusHandle,
}

impl Management {
    /// Starts to record metrics. Validators that are built before do not record all of theirs.
    pub(crate) fn new(listener: TcpListener) -> Result<Self, BuildError> {
        let metrics = builder()?.install_recorder()?;
        modeler_auth::metrics::describe();
        Ok(Self { listener, metrics })
    }

    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends, so that the last requests of the service are counted.
    pub(crate) fn serve(self, validator: &TokenValidator) {
        let routes = router(self.metrics.clone(), validator);
        tokio::spawn(async move { axum::serve(self.listener, routes).await });
        tokio::spawn(async move {
            let mut ticks = interval(UPKEEP);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                self.metrics.run_upkeep();
            }
        });
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let name = Matcher::Full("modeler_auth_token_check_duration_seconds".to_owned());
    PrometheusBuilder::new().set_buckets_for_metric(name, &BUCKETS)
}

fn router(metrics: PrometheusHandle, validator: &TokenValidator) -> Router {
    /// Version of the text format of Prometheus.
    const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let render = async move || ([(header::CONTENT_TYPE, FORMAT)], metrics.render());
    probes(validator).route("/metrics", get(render))
}

/// Probes of Camunda's charts.
pub(crate) fn probes(validator: &TokenValidator) -> Router {
    let validator = validator.clone();
    let is_ready = async move || {
        if validator.is_ready() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    Router::new()
        .route("/ready", get(is_ready.clone()))
        .route("/health/readiness", get(is_ready))
        .route("/health/liveness", get(async || StatusCode::OK))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use modeler_auth::test_util::TestIssuer;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn metrics_and_probes_are_served_and_nothing_else_is() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            modeler_auth::metrics::describe();
            runtime.block_on(async {
                let issuer = TestIssuer::self_managed();
                let validator = TokenValidator::builder().issuer(issuer.issuer());
                let validator = validator.build().unwrap();
                let management = router(handle, &validator);
                let (not_ready, _) = get(&management, "/health/readiness").await;
                assert_eq!(not_ready, StatusCode::SERVICE_UNAVAILABLE);
                validator.ready().await;
                let (ready, _) = get(&management, "/health/readiness").await;
                assert_eq!(ready, StatusCode::OK);
                let (live, _) = get(&management, "/health/liveness").await;
                assert_eq!(live, StatusCode::OK);
                let (api, _) = get(&management, "/api/v1/info").await;
                assert_eq!(api, StatusCode::NOT_FOUND);

                let app = crate::app(&validator);
                get(&app, "/api/v1/info").await;
                let token = issuer.token().sign();
                validator.validate(&token).await.unwrap();
                let (on_the_api, _) = get(&app, "/metrics").await;
                assert_eq!(on_the_api, StatusCode::NOT_FOUND);
                let (status, text) = get(&management, "/metrics").await;
                assert_eq!(status, StatusCode::OK);
                for line in [
                    "# TYPE modeler_auth_token_check_duration_seconds histogram",
                    "modeler_auth_token_check_duration_seconds_bucket{le=\"0.01\"} 1",
                    "modeler_auth_requests_total{outcome=\"rejected\",reason=\"missing_token\"} 1",
                ] {
                    assert!(text.lines().any(|found| found == line), "{line}: {text}");
                }
            });
        });
    }
}
