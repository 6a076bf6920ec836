//! Ways of RabbitMQ between which versions differ, where they are more than yes and no. Plain data.

/// What becomes of a publish of a transaction when a queue that it was routed to is gone at the commit (TX-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneTarget {
    /// The names are looked up again.
    LookedUpAgain,
    /// It is missed there; a classic queue lets the commit fail.
    Missed,
    /// The connection ends, unless there is a queue of the name and type again.
    EndsConnection,
}

/// What the dead-letter worker of an at-least-once queue hears of that queue as a target (DL-30).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnDeadLetters {
    /// Nothing: what came back into the queue is never confirmed.
    Unheard,
    /// That the queue is over its limit is heard before the dead letters that made it so.
    LimitFirst,
    /// The same, after them.
    LettersFirst,
}

/// When a consumer that was to make way, and held messages, stays although its channel ended (CO-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ghosts {
    /// No consumer stays behind.
    Never,
    /// When the last of what it held dies by the delivery limit.
    AfterLimitDeath,
    /// Every such consumer stays behind.
    Always,
}
