//! What a client sent behind a settlement: whether it leaves in the same breath (CO-3).

use crate::wire::{FrameKind, WireFrame, split_frame};

/// Class and method of what settles: ack, reject, nack.
const SETTLEMENTS: [[u8; 4]; 3] = [[0, 60, 0, 80], [0, 60, 0, 90], [0, 60, 0, 120]];

/// Class and method of what leaves: basic.cancel, channel.close, connection.close.
const LEAVES: [[u8; 4]; 3] = [[0, 60, 0, 30], [0, 20, 0, 40], [0, 10, 0, 50]];

/// Looks past settlements that came, each time only past those that it has not seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lookahead {
    /// How far it looked, and the channel that is left there: 0 for the connection.
    seen: Option<(usize, Option<u16>)>,
}

impl Lookahead {
    /// Returns whether the first method behind the settlements cancels a consumer of a channel, or ends it.
    pub(crate) fn leaves(&mut self, input: &[u8], read: usize, channel: u16) -> bool {
        let (_, left) = *match &mut self.seen {
            Some(seen) if read <= seen.0 => seen,
            seen => seen.insert(look(input, read)),
        };
        left.is_some_and(|left| left == 0 || left == channel)
    }
}

fn look(input: &[u8], read: usize) -> (usize, Option<u16>) {
    let mut at = read;
    while let Ok(Some((frame, length))) = split_frame(&input[at..], 0) {
        match method_of(&frame) {
            Some(method) if SETTLEMENTS.contains(method) => at += length,
            method => return (at, method.filter(|method| LEAVES.contains(*method)).map(|_| frame.channel)),
        }
    }
    (at, None)
}

fn method_of<'f>(frame: &WireFrame<'f>) -> Option<&'f [u8; 4]> {
    (frame.kind() == Ok(FrameKind::Method)).then(|| frame.payload.first_chunk()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AmqpMethod, encode_method};

    #[test]
    fn a_leave_is_seen_behind_settlements_of_its_channel_alone() {
        let ack = AmqpMethod::BasicAck { delivery_tag: 1, multiple: false };
        let mut input = Vec::new();
        encode_method(&mut input, 1, &ack);
        let read = input.len();
        encode_method(&mut input, 2, &ack);
        encode_method(&mut input, 1, &AmqpMethod::BasicCancel { consumer_tag: "c".into(), nowait: false });
        let mut ahead = Lookahead::default();
        assert_eq!((ahead.leaves(&input, read, 1), ahead.leaves(&input, read, 2)), (true, false));
        assert!(!ahead.leaves(&input, input.len(), 1), "it left");
        let mut other = Lookahead::default();
        assert!(!other.leaves(&input[..input.len() - 1], read, 1), "the cancel is not whole");
    }
}
