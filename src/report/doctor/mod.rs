//! What `doctor` says of a broker: the facts, what they mean, and how they are shown.

mod facts;
mod findings;
mod fitness;
mod shown;

pub use facts::{Asked, BrokerIdentity, CertificateFacts, Examination, NodeHealth, TlsSession, Unanswered};
pub use findings::{CheckVerdict, DoctorCheck};
pub use fitness::CommandFitness;
pub use shown::{doctor_json, doctor_text, has_failed};
