//! Serves with salvo on `127.0.0.1:8070`.

use std::error::Error;

use modeler_auth_frameworks::{salvo::routes, validator};
use salvo::{Listener as _, Server, conn::TcpListener};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let routes = routes(&validator()?);
    let acceptor = TcpListener::new("127.0.0.1:8070").try_bind().await?;
    Server::new(acceptor).try_serve(routes).await?;
    Ok(())
}
