//! Doctor: checks the configuration of a service, its issuer and a token, and says what to correct.
//!
//! Pipe a token, or the response of the token endpoint, into it. It also runs without a token:
//!
//! ```text
//! curl --silent ... | cargo run --release --example doctor --features yaml
//! cargo run --release --example doctor --features yaml -- --no-token
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `--token -` | read a token from the standard input, even from a terminal; it must not be empty |
//! | `--no-token` | do not read the standard input; default: read it unless it is a terminal |
//! | `--needs create,read` | the token needs these permissions: `create`, `read`, `update`, `delete`; default: any one |
//! | `--json` | print JSON |
//!
//! It reads the configuration that the service reads, see `Issuer::from_env`. Run the program,
//! `target/release/examples/doctor`, in the working folder of the service and with its variables. `TokenValidator::validate` decides about the token,
//! with default settings, as in a service.
//!
//! - The marks are ✓ (right), ✗ (to correct), – (not checked) and ! (warning), without a UTF-8 locale
//!   `+`, `x`, `-` and `!`. There are colours only on a terminal, and not if `NO_COLOR` is set.
//! - Exit code: 0 if nothing is to correct, 1 if a check failed, 2 for a wrong usage.
//! - The token and its signature are never printed. The values of claims are printed if they matter for
//!   the decision. Texts from a token or an issuer are escaped and cut.
//! - The token is sent nowhere but, as by the service, to Management Identity if that is configured.
//! - It waits at most 5 s to inspect the key set, 15 s for the keys of the decision and 11 s for
//!   permissions from Management Identity. It waits for the end of the standard input without a limit.
//!
//! With `--json` the output is one object. Further members and ids may be added:
//!
//! ```json
//! {
//!   "format": 1,
//!   "ok": false,
//!   "checks": [
//!     { "id": "token_times", "state": "failed", "found": "...", "fix": "request a new token, ..." }
//!   ]
//! }
//! ```
//!
//! `state` is `ok`, `failed`, `not_checked` or `warning`. `fix` is `null` unless the state is `failed`.
//! The ids, in their order: `configuration_warning` (one for each), `configuration`, `setting` (one for
//! each), `issuer_reachable`, `discovery`, `key_set`, `key` (one for each), `clock`, `token`,
//! `token_parts`, `token_header`, `token_algorithm`, `token_claims`, `token_issuer`, `token_type`,
//! `token_times`, `token_audience`, `token_key`, `token_signature`, `organization`, `permissions`,
//! `decision`. A check is missing if one before it leaves nothing to check.

mod configuration;
mod fixes;
mod input;
mod keys;
mod options;
mod print;
mod report;
mod token;
mod unverified;
mod words;

use std::{env, ffi::OsString, io, process::ExitCode, time::Duration};

use modeler_auth::{ConfigError, TokenValidator};
use tokio::time::timeout;

use self::{input::Input, options::Options, print::Style, report::Report};

/// Longest wait for the keys of the decision, before the decision waits for them.
const MAX_WAIT_FOR_KEYS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    ExitCode::from(run(env::args_os().skip(1)))
}

/// Runs the doctor with these arguments, and returns its exit code.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let options = match Options::parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print::out(options::USAGE);
            return 0;
        }
        Err(problem) => return wrong_usage(&problem),
    };
    let input = match input::read(options.token) {
        Ok(input) => input,
        Err(problem) => return wrong_usage(&problem),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return wrong_usage(&format!("no runtime can be started: {error}")),
    };
    let report = runtime.block_on(examine(&options, &input));
    // A look-up of a host name may still be under way, and cannot be cancelled.
    runtime.shutdown_background();
    if options.json {
        print::out(&print::json(&report));
    } else {
        print::out(&print::text(&report, Style::of_stdout()));
    }
    u8::from(!report.is_ok())
}

/// Makes all checks.
async fn examine(options: &Options, input: &Input) -> Report {
    let mut report = Report::default();
    if let Err(error) = check(&mut report, options, input).await {
        report.failed("configuration", error.to_string(), fixes::CONFIGURATION);
    }
    report
}

async fn check(report: &mut Report, options: &Options, input: &Input) -> Result<(), ConfigError> {
    let Some((issuer, summary)) = configuration::check(report)? else {
        return Ok(());
    };
    // It fetches the keys beside the inspection, as at the start of the service.
    let validator = TokenValidator::builder().issuer(issuer.clone()).build()?;
    let found = issuer.inspect_keys().await?;
    keys::check(report, &found, &summary);
    if found.error.is_none() {
        // With keys, the decision about a token for another audience names the audience. If they do not
        // arrive in time, the decision itself says so.
        let _ = timeout(MAX_WAIT_FOR_KEYS, validator.ready()).await;
    }
    let decision = token::Decision {
        validator: &validator,
        summary: &summary,
        keys: &found.keys,
        needed: &options.needed,
    };
    token::check(report, input, &decision).await;
    Ok(())
}

fn wrong_usage(problem: &str) -> u8 {
    // Nothing else can be done if the standard error output is closed.
    let _ = io::Write::write_all(
        &mut io::stderr(),
        format!("doctor: {problem}\n\n{}", options::USAGE).as_bytes(),
    );
    2
}
