//! Tests of the state machine through its public interface: events in, effects out, without a
//! browser and without waiting.

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
