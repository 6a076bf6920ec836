//! Timelines, plans, problems and outcomes as text, JSON, JUnit and snapshots.
//! Takes data, returns strings. Never prints, never writes a file, never decides.

mod annotations;
mod broker_error;
mod cell;
mod compared;
mod coverage;
mod doctor;
mod event;
mod explain;
mod explored;
mod failure;
mod foreseen;
mod graph;
mod json;
mod junit;
mod markdown;
mod metrics;
mod page;
mod palette;
mod plan;
mod problem;
mod record;
mod recorded;
mod redaction;
mod schema;
mod session;
mod shell;
mod snapshot;
mod snapshot_file;
mod snapshot_name;
mod snapshot_pending;
mod story;
mod summary;
mod tap;

pub use annotations::{annotations, run_annotations, sarif};
pub use broker_error::{BrokerError, error_json};
pub use cell::{CellReport, Simulated, cell_line, cell_name, header, passed_line};
pub use compared::{
    CellCause, ComparedBroker, ComparedCell, ComparedScenario, ComparedStep, ComparedTopology, Sameness,
    VersionFinding, VersionFindings, causes_between, compared_topology_json, compared_topology_text, comparison_json,
    comparison_junit, comparison_markdown, comparison_summary, comparison_text, ending, unexplained,
};
pub use coverage::{coverage_json, coverage_text, no_suggestion, short_percent};
pub use doctor::{
    Asked, BrokerIdentity, CertificateFacts, CheckVerdict, CommandFitness, DoctorCheck, Examination, NodeHealth,
    TlsSession, Unanswered, doctor_json, doctor_text, has_failed,
};
pub use explain::{code_json, explain_code, explain_list, explain_rule, rule_json};
pub use explored::{ExploredCell, explored_json, explored_text, schedule_json, schedule_text};
pub use failure::{Page, coloured_difference, failure_text, failures_text};
pub use foreseen::{
    access_json, access_text, by_versions, effective_json, effective_text, route_json, route_text, versions_in_words,
};
pub use graph::{MERMAID_EDGES_MAX, MERMAID_TEXT_MAX, SVG_PARTS_MAX, graph_dot, graph_json, graph_mermaid, graph_svg};
pub use json::{cell_json, run_json, summary_json};
pub use junit::junit;
pub use markdown::run_markdown;
pub use metrics::{BrokerCounters, MeasuredRun, open_metrics};
pub use page::{RunPage, page, page_data, play_page};
pub use palette::Palette;
pub use plan::{
    EQUAL_COVERS, PlannedFor, StoppedMove, applied_text, apply_json, at_stake_text, beside_text, changes_text,
    deleted_text, extras_text, move_stage_text, moved_text, plan_json, plan_text, refused_replacements_text,
    stakes_text, stopped_move,
};
pub use problem::{distinct, draw, draw_one, mask, notes_of_check, problem_summary, problems_json};
pub use recorded::{BadRecord, RECORD_FORMAT, RecordHead, RecordedCell, RunRecord, record_differences, recorded_run};
pub use schema::{SchemaOf, schema};
pub use session::{ToldStory, session_entry, session_names, story_of};
pub use shell::shell_word;
pub use snapshot::{Comparison, body, compare, difference};
pub use snapshot_file::{BrokenSnapshot, SnapshotFile, Waits, accepted, read_snapshot, whole_file};
pub use snapshot_name::{SnapshotName, cell_stem, snapshot_for};
pub use snapshot_pending::{OutcomeOnVersion, Present, SnapshotChanges, pending};
pub use story::{VersionPair, trace, versions_text};
pub use summary::{PassedCells, brokers_table, summary};
pub use tap::tap;

pub(crate) use graph::graph_style_sheet;
pub(crate) use page::{drawing_json, is_on_page, page_failures, page_news, source_json};
