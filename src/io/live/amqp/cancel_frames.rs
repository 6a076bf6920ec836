//! Turns the broker's basic.cancel, on its way to lapin, into a delivery of tag 0, which no broker sends. lapin forgets a
//! consumer that was cancelled and drops what comes for it later; RabbitMQ 4.3 goes on sending to a consumer that
//! overran its time once it acks late (CO-26). Takes bytes in any pieces; never changes any other frame.

/// The tag of the delivery that stands for a cancel.
pub(crate) const CANCEL_TAG: u64 = 0;

/// Type, channel and length of a frame.
const HEAD: usize = 7;

/// The bytes of one connection, read frame by frame.
#[derive(Default)]
pub(crate) struct CancelFrames {
    /// Bytes of the frame at hand that are still to come.
    left: usize,
    /// The beginning of a frame of which too little has come.
    begun: Vec<u8>,
    /// Bytes that wait for the reader.
    ready: Vec<u8>,
}

/// What stands at the beginning of some bytes.
enum Frame {
    /// So many bytes to be left as they are.
    Other(usize),
    Cancel(usize),
    /// Too few bytes to tell.
    Torn,
}

impl CancelFrames {
    /// Takes bytes that were just read; returns how many of them the reader may have at once. The rest comes by
    /// [`take_ready`](Self::take_ready), perhaps after more was read.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> usize {
        let clean = if self.begun.is_empty() { self.skip(bytes) } else { 0 };
        if clean < bytes.len() {
            self.begun.extend_from_slice(&bytes[clean..]);
            self.sort_out();
        }
        clean
    }

    /// Moves bytes that wait into the reader's buffer; returns how many.
    pub(crate) fn take_ready(&mut self, into: &mut [u8]) -> usize {
        let count = self.ready.len().min(into.len());
        into[..count].copy_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        count
    }

    /// Returns whether bytes wait for the reader.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Goes over frames that stay as they are; returns where the first one begins that may not.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let step = self.left.min(bytes.len() - at);
            self.left -= step;
            at += step;
            if at == bytes.len() {
                return at;
            }
            match frame_of(&bytes[at..]) {
                Frame::Other(length) => self.left = length,
                Frame::Cancel(_) | Frame::Torn => return at,
            }
        }
    }

    /// Makes ready what has come whole.
    fn sort_out(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        let mut rest = &*begun;
        loop {
            let (clean, other) = rest.split_at(self.skip(rest));
            self.ready.extend_from_slice(clean);
            match frame_of(other) {
                Frame::Cancel(length) => {
                    self.ready.extend(delivery_for(&other[..length]));
                    rest = &other[length..];
                }
                Frame::Other(_) | Frame::Torn => {
                    self.begun = other.to_vec();
                    return;
                }
            }
        }
    }
}

fn frame_of(bytes: &[u8]) -> Frame {
    const METHOD: u8 = 1;
    const CANCEL: [u8; 4] = [0, 60, 0, 30];
    match bytes.first() {
        Some(1 | 2 | 3 | 8) => {}
        // No frame: a broker that speaks another version answers with its protocol header and closes.
        Some(_) => return Frame::Other(usize::MAX),
        None => return Frame::Torn,
    }
    let Some((head, payload)) = bytes.split_first_chunk::<HEAD>() else { return Frame::Torn };
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let whole = HEAD + size + 1;
    if head[0] != METHOD || size < CANCEL.len() {
        return Frame::Other(whole);
    }
    match payload.get(..CANCEL.len()) {
        None => Frame::Torn,
        Some(method) if method != CANCEL => Frame::Other(whole),
        // One that wants an answer is lapin's to answer; RabbitMQ's never do.
        Some(_) if bytes.len() >= whole => match is_nowait(&payload[CANCEL.len()..size]) {
            true => Frame::Cancel(whole),
            false => Frame::Other(whole),
        },
        Some(_) => Frame::Torn,
    }
}

/// Returns whether the arguments of a basic.cancel, a consumer's tag and a bit, want no answer.
fn is_nowait(arguments: &[u8]) -> bool {
    let bit = arguments.first().and_then(|length| arguments.get(usize::from(*length) + 1));
    bit.is_some_and(|bit| bit & 1 == 1)
}

/// Writes the frames of an empty message for the consumer that a basic.cancel names.
fn delivery_for(cancel: &[u8]) -> Vec<u8> {
    const DELIVER: [u8; 4] = [0, 60, 0, 60];
    const FRAME_END: u8 = 0xce;
    let channel = &cancel[1..3];
    let tag = &cancel[HEAD + 4..];
    let tag = &tag[..=usize::from(tag[0])];
    let frame = |kind: u8, payload: &[u8]| {
        let size = (payload.len() as u32).to_be_bytes();
        [&[kind], channel, &size, payload, &[FRAME_END]].concat()
    };
    // Behind the tags: not redelivered, no exchange, no key.
    let deliver = [&DELIVER, tag, &CANCEL_TAG.to_be_bytes(), &[0, 0, 0]].concat();
    // Class 60, weight, eight bytes of the body's length, no properties.
    let mut header = [0; 14];
    header[1] = 60;
    [frame(1, &deliver), frame(2, &header)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, channel: u8, payload: &[u8]) -> Vec<u8> {
        let size = (payload.len() as u32).to_be_bytes();
        [&[kind, 0, channel], &size[..], payload, &[0xce]].concat()
    }

    fn cancel(channel: u8, tag: &str, nowait: u8) -> Vec<u8> {
        let payload = [&[0, 60, 0, 30, tag.len() as u8], tag.as_bytes(), &[nowait]].concat();
        frame(1, channel, &payload)
    }

    /// Reads a stream that comes in pieces of one length, into a buffer of another.
    fn read(stream: &[u8], piece: usize, room: usize) -> Vec<u8> {
        let (mut frames, mut out) = (CancelFrames::default(), Vec::new());
        for bytes in stream.chunks(piece) {
            out.extend_from_slice(&bytes[..frames.pass(bytes)]);
            let mut into = vec![0; room];
            loop {
                match frames.take_ready(&mut into) {
                    0 => break,
                    count => out.extend_from_slice(&into[..count]),
                }
            }
        }
        out
    }

    #[test]
    fn a_cancel_becomes_a_delivery_in_its_place_and_all_else_stays() {
        let before = [frame(1, 1, &[0, 60, 0, 31, 0]), frame(8, 0, &[]), frame(3, 1, &[1, 0, 0])].concat();
        let after = [cancel(2, "asks", 0), frame(1, 1, &[0, 60]), frame(3, 1, &[206; 300])].concat();
        let stream = [&before[..], &cancel(7, "worker", 1), &cancel(7, "", 1), &after].concat();
        let deliver = |tag: &[u8]| {
            let payload = [&[0, 60, 0, 60, tag.len() as u8], tag, &[0; 11]].concat();
            [frame(1, 7, &payload), frame(2, 7, &[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])].concat()
        };
        let wanted = [&before[..], &deliver(b"worker"), &deliver(b""), &after].concat();
        for piece in 1..=stream.len() {
            assert_eq!(read(&stream, piece, 1 + piece % 40), wanted, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_frame_passes() {
        assert_eq!(read(b"AMQP\x00\x00\x09\x01\x01\x00\x07", 3, 8), b"AMQP\x00\x00\x09\x01\x01\x00\x07");
    }
}
