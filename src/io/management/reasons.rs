//! What the management API's refusals mean: RabbitMQ's texts, understood here and nowhere else.
//! Takes a status and a reason, gives a kind. Never words a sentence.

/// The meaning of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalReason {
    /// User or password is wrong.
    BadLogin,
    /// The user lacks a tag for the whole request.
    LacksTag(&'static str),
    /// A policy or a parameter that the user may not put: it takes the tag `policymaker`.
    NotPolicymaker,
    /// What it is about is not there, or not any more: a vhost that vanishes meanwhile is a 500.
    Gone,
    /// Anything else: the text is for people.
    Other,
}

/// Classifies a refusal (MG-1, MG-14).
pub(crate) fn reason_of_refusal(status: u16, text: &str) -> RefusalReason {
    match (status, text) {
        (401, "Login failed" | "Not_Authorized" | "not_authorized") => RefusalReason::BadLogin,
        (401, "Not management user") => RefusalReason::LacksTag("management"),
        (401, "Not monitor user") => RefusalReason::LacksTag("monitoring"),
        (401, "Not policymaker user") => RefusalReason::LacksTag("policymaker"),
        (401, "Not administrator user") => RefusalReason::LacksTag("administrator"),
        (_, text) if text.contains("User not authorised to access object") => RefusalReason::NotPolicymaker,
        (404, _) => RefusalReason::Gone,
        (500.., text) if text.contains("no_such_vhost") => RefusalReason::Gone,
        _ => RefusalReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_a_meaning() {
        assert_eq!(reason_of_refusal(401, "Not monitor user"), RefusalReason::LacksTag("monitoring"));
        assert_eq!(reason_of_refusal(404, "Object Not Found"), RefusalReason::Gone);
        assert_eq!(reason_of_refusal(500, "{error,{no_such_vhost,<<\"rmqplay-0001abc0\">>}}"), RefusalReason::Gone);
        assert_eq!(reason_of_refusal(500, "{error,timeout}"), RefusalReason::Other);
        assert_eq!(reason_of_refusal(400, "no_such_vhost"), RefusalReason::Other);
    }
}
