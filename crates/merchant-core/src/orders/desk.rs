//! The desk: what a person at `/desk` does and sees besides the calls of the private API. Sessions by
//! an API key, a journal of all actions, figures, and the story of an order.
//!
//! Nothing here decides about money: an action is a call of the same function as the API's route, with
//! a line in the journal before and after it.

mod figures;
mod journal;
mod moment;
mod sessions;
mod story;
mod tasks;

pub use figures::{Figures, Lost, ScenePart, figures};
pub use journal::{Action, JournalEntry, JournalPage, Note, journal, note};
pub use moment::{day_of, day_start_ms, local_time};
pub use sessions::{DeskKey, Ended, SESSION_MAX_MS, SignedIn, begin, end, find, form_token};
pub use story::{Event, Story, What, story};
pub use tasks::{
    AbnormalRefund, KeyInUse, abnormal_refunds, keys_in_use, open_tasks, webhook_counts,
};
