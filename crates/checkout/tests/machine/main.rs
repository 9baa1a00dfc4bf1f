//! The machine as a page drives it: events in, effects out, no browser and no waiting.

mod h5;
mod hostile;
mod jsapi;
mod manners;
mod native;
mod page;
mod random_orders;
mod walk;
