//! Tests of the state machine through its public interface: events in, effects out, without a
//! browser and without waiting.

mod dead_ends;
mod ends;
mod h5;
mod hostile;
mod jsapi;
mod mini_program;
mod native;
mod page;
mod page_control;
mod peers;
mod random_orders;
mod request_rate;
mod walk;
mod young_orders;
