//! What names of queues and exchanges promise: that something waits there, or that the dead come there.
//! Takes names; a promise is a guess, so what is told of it alone is a note.

/// Words of queues in which messages wait for their time.
const WAITING: [&str; 5] = ["wait", "waiting", "delay", "delayed", "backoff"];

/// Words of queues from which messages come back, after a while or by a consumer.
const RETRYING: [&str; 4] = ["retry", "retries", "later", "hold"];

/// Words of what takes dead letters.
const DEAD: [&str; 8] = ["dlx", "dlq", "dle", "dead", "deadletter", "deadletters", "deadlettered", "dlqs"];

/// Returns whether a name says that messages wait there.
pub fn is_named_for_waiting(name: &str) -> bool {
    words(name).any(|word| WAITING.contains(&word.as_str()))
}

/// Returns whether a name says that messages come back from there.
pub fn is_named_for_retries(name: &str) -> bool {
    words(name).any(|word| RETRYING.contains(&word.as_str())) || is_named_for_waiting(name)
}

/// Returns whether a word of a name is a duration: `orders.retry.5s`.
pub fn names_a_delay(name: &str) -> bool {
    let units = ["ms", "s", "sec", "m", "min", "h"];
    words(name).any(|word| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < word.len() && units.contains(&unit)
    })
}

/// Returns whether a name says that dead letters come there.
pub fn is_named_for_the_dead(name: &str) -> bool {
    words(name).any(|word| DEAD.contains(&word.as_str()))
}

/// Takes a name apart at signs and at capitals, and makes it small.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        after_small = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_their_words() {
        for name in ["orders.wait", "orders-backoff-5s", "OrderDelayQueue", "delayed_orders"] {
            assert!(is_named_for_waiting(name), "{name}");
        }
        assert!(is_named_for_retries("orders.retry.5s") && is_named_for_retries("orders.wait"));
        for name in ["orders", "awaited", "lateral", "orders.retry"] {
            assert!(!is_named_for_waiting(name), "{name}");
        }
        for name in ["orders.retry.5s", "retry-30min", "orders_retry_500ms"] {
            assert!(names_a_delay(name), "{name}");
        }
        assert!(!names_a_delay("orders.retry.2") && !names_a_delay("orders.s3"));
        for name in ["orders.dlx", "dead-letter-queue", "OrdersDeadLetter", "x_dlq"] {
            assert!(is_named_for_the_dead(name), "{name}");
        }
        assert!(!is_named_for_the_dead("deadline.orders"));
    }
}
