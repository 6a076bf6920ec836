//! The rules that the simulator tells of: the ones that a trace cites, and that coverage counts.
//! `tests/trace.rs` compares the list with what the simulator says.

/// By family and number.
pub const TOLD_RULES: [&str; 117] = [
    "CO-2", "CO-3", "CO-4", "CO-5", "CO-6", "CO-7", "CO-8", "CO-10", "CO-13", "CO-14", "CO-15", "CO-16", "CO-17",
    "CO-19", "CO-20", "CO-21", "CO-22", "CO-25", "CO-26", "CO-27", "CO-28", "DL-1", "DL-2", "DL-3", "DL-4", "DL-7",
    "DL-8", "DL-10", "DL-24", "DL-25", "DL-26", "DL-30", "DL-34", "ER-1", "ER-2", "ER-3", "ER-4", "ER-5", "ER-6",
    "ER-7", "ER-8", "ER-10", "ER-11", "ER-12", "ER-13", "EXP-1", "EXP-2", "EXP-3", "LEN-1", "LEN-2", "LEN-3", "LEN-5",
    "LEN-6", "LEN-7", "LEN-8", "LEN-9", "LEN-10", "LEN-11", "LEN-12", "MG-1", "MG-9", "PE-1", "PE-2", "PE-4", "PE-7",
    "PE-9", "PO-4", "PO-6", "PO-7", "PO-9", "PRI-1", "PRI-3", "QQ-43-3", "QQ-43-4", "RT-2", "RT-3", "RT-4", "RT-5",
    "RT-6", "RT-8", "RT-10", "RT-11", "RT-12", "RT-13", "RT-14", "RT-15", "RT-17", "RT-18", "RT-20", "RT-22", "TTL-1",
    "TTL-2", "TTL-3", "TTL-4", "TTL-5", "TTL-7", "TTL-8", "TTL-12", "TTL-13", "TX-1", "TX-2", "TX-3", "TX-4", "TX-5",
    "TX-6", "TX-7", "PX-1", "PX-2", "PX-3", "ST-1", "ST-2", "ST-3", "ST-4", "ST-5", "ST-8", "ST-9", "ST-10",
];
