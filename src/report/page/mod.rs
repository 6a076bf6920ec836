//! The page: a run as one HTML file that needs nothing from elsewhere.
//! Takes reports of cells as data; returns the file in parts. The data are one JSON block, `web/` is what shows them: plain ES
//! modules that take the same data from anywhere, so that a live view or a playground can feed them too.

mod cell;
mod document;
mod drawing;
mod timeline;

pub(crate) use cell::page_failures;
pub(crate) use document::source_json;
pub use document::{RunPage, page, page_data, play_page};
pub(crate) use drawing::drawing_json;
pub(crate) use timeline::{is_on_page, page_news};
