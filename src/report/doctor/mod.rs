//! What `doctor` says of a broker: the facts, what they mean, and how they are shown.

mod facts;
mod findings;
mod shown;

pub use facts::{Asked, BrokerIdentity, CertificateFacts, Examination, NodeHealth, TlsSession, Unanswered};
pub use findings::{CheckVerdict, CommandFitness, DoctorCheck};
pub use shown::{doctor_json, doctor_text, has_failed};
