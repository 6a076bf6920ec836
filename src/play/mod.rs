//! A run that somebody holds in the hand: it goes on when and as fast as they say, they do steps beside those of its scenario,
//! and a page shows it. Takes requests that are read already, and real milliseconds; returns data as JSON. Has no socket, reads
//! no clock and no file: whoever owns a session lets it go on, and loads what it wishes for.

mod answer;
mod by_hand;
mod live;
mod log;
mod pace;
mod part;
mod request;
mod served;
mod session;
mod setting;
mod simulated;
mod view;

pub use answer::{PlayAnswer, PlayWish, answer_play};
pub use part::{JoinedPart, PartField, PlayPart};
pub use served::{answer_served, served_state};
pub use session::PlaySession;
pub use setting::{LiveSetting, PlaySetting};
pub use view::PageHas;
