//! Serves with actix-web on `127.0.0.1:8070`.

use std::error::Error;

use actix_web::{App, HttpServer};
use modeler_auth_frameworks::{actix, validator};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // One validator for all workers: they share its keys.
    let validator = validator()?;
    let server = HttpServer::new(move || App::new().configure(actix::routes(validator.clone())));
    server.bind("127.0.0.1:8070")?.run().await?;
    Ok(())
}
