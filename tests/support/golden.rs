//! Kept texts: what a test found against the file that was reviewed. `UPDATE_GOLDEN=1` writes the file anew.

use snapbox::assert::Action;
use snapbox::{Assert, IntoData};
use std::path::Path;

/// Returns whether kept texts are to be written anew.
pub fn is_updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Compares a text with the file that keeps it.
///
/// # Errors
/// The difference, line by line.
pub fn check(kept: &Path, found: &str) -> Result<(), String> {
    if is_updating() {
        if std::fs::read_to_string(kept).is_ok_and(|text| text == found) {
            return Ok(());
        }
        return std::fs::write(kept, found).map_err(|error| format!("{}: {error}", kept.display()));
    }
    let text = std::fs::read_to_string(kept).unwrap_or_default();
    let compared = Assert::new().action(Action::Verify).try_eq(None, found.into_data().raw(), text.into_data().raw());
    compared.map_err(|difference| {
        format!("{}\n{difference}\nUPDATE_GOLDEN=1 writes it anew: read the difference first", kept.display())
    })
}
