//! One thing that a broker holds and a file does not name.
//! Data only.

use crate::model::Object;
use crate::plan::stakes::Stakes;

/// One object that is on the broker and not in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra {
    /// What the file does not declare.
    pub object: Object,
    /// What is worth knowing of it, like those of [`ChangeKind::Create`](crate::plan::ChangeKind::Create).
    pub words: Vec<String>,
    /// What would go with it.
    pub stakes: Stakes,
}
