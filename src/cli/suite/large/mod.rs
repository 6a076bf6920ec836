//! A suite of many files on simulated brokers: each file is loaded, checked, and its cells dropped again. They play at once where that
//! takes little time, else once all files were checked, read again. Of a cell that only passed four numbers and its name are kept.

mod cells;
mod checking;
mod ending;
mod file_player;
mod playing;

pub(crate) use ending::play_large;
