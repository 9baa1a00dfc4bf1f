//! The layers around the handlers: the log, the limits, the request id, CORS. The layers do not
//! know what a call does.

mod call_log;
pub(crate) mod cross_origin;
mod deadline;
mod path_token;
mod rate_limit;
mod request_id;
mod set_header;

pub(crate) use call_log::log;
pub(crate) use deadline::in_time;
use path_token::token_of;
pub(crate) use rate_limit::{Limits, limit};
use request_id::REQUEST_ID;
pub(crate) use request_id::RequestIds;
pub(crate) use set_header::always_set;
