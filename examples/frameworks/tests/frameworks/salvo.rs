//! The service with salvo, over HTTP.

use modeler_auth::Permission;
use modeler_auth_frameworks::salvo::{Authorize, routes};
use salvo::{
    Depot, FlowCtrl, Handler, Listener as _, Response, Router, Server, async_trait,
    conn::TcpListener,
};

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
async fn authorization_without_authentication_is_500() {
    let layered = Layered::new();
    let route = Router::new()
        .hoop(Authorize::new(&layered.validator, Permission::Read))
        .goal(Reached);
    let url = format!("http://{}/", serve(route).await);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 500);
    assert_ne!(response.text().await.unwrap(), "reached");
}

struct Reached;

#[async_trait]
impl Handler for Reached {
    async fn handle(
        &self,
        _: &mut salvo::Request,
        _: &mut Depot,
        response: &mut Response,
        _: &mut FlowCtrl,
    ) {
        response.render("reached");
    }
}
