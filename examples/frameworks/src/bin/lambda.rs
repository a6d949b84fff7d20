//! Serves as an AWS Lambda function.

use lambda_http::{Error, run, service_fn};
use modeler_auth_frameworks::{lambda, validator};

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Outside of the handler: the keys and the token cache last from one invocation to the next.
    let validator = validator()?;
    run(service_fn(|request| lambda::handle(&validator, request))).await
}
