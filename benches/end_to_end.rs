//! Benchmark of a protected route over loopback, compared with the same route behind an empty layer
//! and with the open route. They are loaded in turn by [wrk](https://github.com/wg/wrk):
//!
//! ```text
//! apt-get install wrk
//! cargo bench --bench end_to_end
//! ```
//!
//! The server has one worker thread, `wrk` another.

#[path = "support/measure.rs"]
mod measure;
mod support;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, ExitCode},
    task::{Context, Poll},
};

use axum::{Router, routing::get};
use http::Request;
use measure::median;
use modeler_auth::AuthLayer;
use modeler_auth_testkit::server;
use support::{Signer, hostile_tokens, keycloak_claims};
use tokio::runtime::Builder;
use tower::{Service, layer::layer_fn};

const ROUNDS: usize = 21;
const SCRIPT: &str = "benches/support/tokens.lua";

/// Passes everything on.
#[derive(Clone)]
struct Nothing<S>(S);

impl<S: Service<Request<B>>, B> Service<Request<B>> for Nothing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.0.call(request)
    }
}

fn main() -> ExitCode {
    if Command::new("wrk").arg("-v").output().is_err() {
        eprintln!("this benchmark needs `wrk` (on Debian: apt-get install wrk)");
        return ExitCode::FAILURE;
    }
    let signer = Signer::new("RS256");
    let address = serve(&signer);
    let one = vec![signer.sign(&keycloak_claims(0))];
    let many: Vec<_> = (0..1000)
        .map(|number| signer.sign(&keycloak_claims(number)))
        .collect();
    let hostile: Vec<_> = hostile_tokens(&signer).map(|(_, token)| token).collect();
    let mixed = many.iter().cloned().enumerate().map(|(number, token)| {
        let hostile = (number % 10 == 9).then(|| hostile.get(number / 10 % hostile.len()).cloned());
        hostile.flatten().unwrap_or(token)
    });
    let mixed: Vec<_> = mixed.collect();

    println!(
        "| tokens | open, requests/s | do-nothing layer / open | protected / do-nothing layer | protected / open |"
    );
    println!("|---|---:|---:|---:|---:|");
    for (name, tokens, refused) in [
        ("one", one, 0.0),
        ("1000", many, 0.0),
        ("1000, 10 % of them hostile", mixed, 0.1),
    ] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokens");
        fs::write(&file, tokens.join("\n")).expect("a file for the tokens");
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let [open, nothing] =
                    ["open", "nothing"].map(|path| drive(address, path, &file, 0.0));
                [open, nothing, drive(address, "protected", &file, refused)]
            })
            .collect();
        let of = |ratio: fn(&[f64; 3]) -> f64| median(rounds.iter().map(ratio));
        println!(
            "| {name} | {:.0} | {:.3} | {:.3} | {:.3} |",
            of(|[open, ..]| *open),
            of(|[open, nothing, _]| nothing / open),
            of(|[_, nothing, protected]| protected / nothing),
            of(|[open, _, protected]| protected / open),
        );
    }
    ExitCode::SUCCESS
}

/// Serves on a separate thread until the process ends.
fn serve(signer: &Signer) -> SocketAddr {
    let handler = || get(async || "hello");
    let protected = handler().layer(AuthLayer::new(signer.validator(16 << 20)));
    let app = Router::new()
        .route("/open", handler())
        .route("/nothing", handler().layer(layer_fn(Nothing)))
        .route("/protected", protected);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let address = runtime.block_on(server::serve(app));
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    address
}

/// Requests per second, with the share `refused` of refused requests.
fn drive(address: SocketAddr, path: &str, tokens: &Path, refused: f64) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
    let output = Command::new("wrk")
        .args(["-t1", "-c32", "-d1s", "-s"])
        .arg(script)
        .arg(format!("http://{address}/{path}"))
        .arg("--")
        .arg(tokens)
        .output()
        .expect("wrk runs");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = number_behind(&output, "Requests/sec:").expect("a rate");
    let failed = number_behind(&output, "Non-2xx or 3xx responses:").unwrap_or(0.0);
    let all = output.split_once(" requests in");
    let all = all.and_then(|(before, _)| before.split_whitespace().next_back()?.parse().ok());
    let part = failed / all.unwrap_or(f64::NAN);
    assert!((part - refused).abs() < 0.02, "{path}: {output}");
    rate
}

fn number_behind(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}
