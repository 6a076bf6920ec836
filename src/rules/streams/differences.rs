//! What differs between the RabbitMQ versions in streams; each field names its rule in the book.
//! 3.12, 3.13, 4.1 and 4.2 are as their neighbours are, by what RabbitMQ's source says of each.

/// Holds what differs between the profiles in streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamDifferences {
    /// ST-1: the texts of a refused consume say `for 'queue …'` and `stream queues queue …`.
    pub old_consume_texts: bool,
    /// ST-1: `x-cancel-on-ha-failover` is looked at, and refused.
    pub refuses_ha_failover: bool,
    /// ST-3, ST-5: an interval without digits in front (of an offset, of x-max-age) ends the connection with 541.
    pub interval_faults_crash: bool,
    /// ST-4: nack and reject end the connection, and so does recover.
    pub refuses_returns: bool,
    /// ST-5: x-stream-filter-size-bytes has to be from 16 to 255.
    pub checks_filter_size: bool,
    /// ST-5: the text of that has two spaces, and is given for any type.
    pub old_filter_size_text: bool,
    /// ST-7: tables and arrays in headers named `x-…` stay, bytes become text, and a delivery mode other than 2 becomes 1.
    pub keeps_annotations: bool,
    /// ST-8: what is dead-lettered at most once into a stream is lost.
    pub loses_dead_letters: bool,
    /// ST-9: readers may filter.
    pub filters: bool,
    /// ST-5: an equal x-max-age in another unit is no difference.
    pub compares_ages: bool,
}

pub(crate) const STREAMS_3_10: StreamDifferences = StreamDifferences {
    old_consume_texts: true,
    refuses_ha_failover: true,
    interval_faults_crash: true,
    refuses_returns: true,
    checks_filter_size: false,
    old_filter_size_text: true,
    keeps_annotations: false,
    loses_dead_letters: true,
    filters: false,
    compares_ages: false,
};

pub(crate) const STREAMS_3_12: StreamDifferences = StreamDifferences { loses_dead_letters: false, ..STREAMS_3_10 };

pub(crate) const STREAMS_3_13: StreamDifferences = StreamDifferences {
    refuses_returns: false,
    checks_filter_size: true,
    keeps_annotations: true,
    filters: true,
    ..STREAMS_3_12
};

pub(crate) const STREAMS_4_0: StreamDifferences =
    StreamDifferences { old_consume_texts: false, refuses_ha_failover: false, ..STREAMS_3_13 };

pub(crate) const STREAMS_4_3: StreamDifferences =
    StreamDifferences { interval_faults_crash: false, old_filter_size_text: false, compares_ages: true, ..STREAMS_4_0 };
