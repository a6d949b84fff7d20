//! Each framework answers the shared requests as the layer does, and actix-web the attacks, too.

mod actix;
mod attacks;
mod lambda;
mod requests;
mod salvo;
#[path = "../../../../tests/support/mod.rs"]
mod support;
mod target;
