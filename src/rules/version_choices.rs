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

/// The order in which an `x-modulus-hash` exchange counts its bindings (PX-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModulusOrder {
    /// By binding key, then by destination.
    BindingKey,
    /// As they were made.
    Creation,
    /// By destination: exchanges first, each kind by name.
    Destination,
}

/// What becomes of an x-death header that a client sends (DL-22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientXDeath {
    /// It is taken for history.
    History,
    /// It is cleaned at the publish; what is left is history.
    Cleaned,
    /// It passes through, and the first death replaces it.
    Replaced,
}

/// Which right a passive declare needs (PE-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassiveAccess {
    /// None.
    Free,
    /// To configure.
    Configure,
    /// Any of the three.
    AnyRight,
}

/// What a PUT of a vhost answers to a default queue type that is none (MG-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadDefaultType {
    /// It takes it.
    Taken,
    /// It takes it where the vhost exists, else 500.
    RefusedForNew,
    /// 500.
    Refused,
    /// 400, with the reason.
    Explained,
}

/// How the plugin reads `x-delay`, and what it makes of it (RT-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelayHeader {
    /// As a field of the properties, integers of 8 bits too; negated to 32 bits, which consumers of classic queues do not see.
    Field,
    /// As an annotation of the message; negated to 64 bits, which every consumer sees.
    Annotation,
}

/// What events tell of queues and channels (PX-4): each version tells what the one before does, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventFacts {
    /// No type of a classic queue, nor of any that is deleted.
    WithoutTypes,
    /// Types, and how many consumers a channel had.
    WithTypes,
    /// The leader and the members of a classic queue.
    WithLeaders,
}
