//! The machine as a page drives it: events in, effects out, no browser and no waiting.

mod floor;
mod h5;
mod hostile;
mod jsapi;
mod manners;
mod mini_program;
mod native;
mod page;
mod peers;
mod random_orders;
mod walk;
