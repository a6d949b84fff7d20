//! The service with salvo, over HTTP.

use modeler_auth_frameworks::salvo::{hello, routes};
use salvo::{Listener as _, Router, Server, conn::TcpListener};

use crate::requests::{Layered, assert_answers_over_http};

async fn serve(routes: Router) -> std::net::SocketAddr {
    let acceptor = TcpListener::new("127.0.0.1:0").try_bind().await.unwrap();
    let address = acceptor.inner().local_addr().unwrap();
    tokio::spawn(Server::new(acceptor).serve(routes));
    address
}

#[tokio::test]
async fn r7_the_answers_of_salvo_are_those_of_the_layer() {
    let layered = Layered::new();
    let address = serve(routes(&layered.validator)).await;
    assert_answers_over_http(&layered, address).await;
}

#[tokio::test]
async fn a_handler_without_require_is_500() {
    let url = format!("http://{}/", serve(Router::new().goal(hello)).await);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(client.get(url).send().await.unwrap().status(), 500);
}
