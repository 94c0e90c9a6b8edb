// Streams of one enum that have the same name, or none that a field can have.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[derive(Streams, Clone)]
enum Same {
    HttpError(Swipe),
    HTTPError(Swipe),
}

#[derive(Streams, Clone)]
enum Named {
    #[stream(name = "too late")]
    Late(Swipe),
    #[stream(port = "early")]
    Early(Swipe),
}

fn main() {}
