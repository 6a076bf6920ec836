//! `erlang:phash2/1`: the hash of a term that is the same in every release of Erlang (PX-1, PX-2).
//! Takes terms as far as AMQP's values need them; gives 27 bits. Never reads a value of AMQP.

/// An Erlang term, as far as headers, properties and routing keys become one.
#[derive(Debug, Clone, PartialEq)]
pub enum ErlangTerm<'t> {
    /// By its name, in ASCII.
    Atom(&'t str),
    /// Of any bytes.
    Binary(&'t [u8]),
    /// Of 64 bits and a sign.
    Integer(i128),
    /// Of 64 bits.
    Float(f64),
    /// In its order.
    Tuple(Vec<ErlangTerm<'t>>),
    /// Whose elements are no integers: Erlang hashes texts of bytes otherwise.
    List(Vec<ErlangTerm<'t>>),
}

/// The golden ratio; its multiples tell kinds of terms apart.
const GOLDEN: u32 = 0x9e37_79b9;

const fn golden(times: u32) -> u32 {
    GOLDEN.wrapping_mul(times)
}

/// Returns `erlang:phash2(Term)`.
///
/// ```
/// use rmqplay::rules::{ErlangTerm, phash2};
/// assert_eq!(phash2(&ErlangTerm::Binary(b"order.1")), 64_965_058);
/// assert_eq!(phash2(&ErlangTerm::Atom("undefined")), 45_914_356);
/// ```
pub fn phash2(term: &ErlangTerm<'_>) -> u32 {
    hashed(term, 0) & HASH_BITS
}

/// The bits that `phash2/1` gives.
const HASH_BITS: u32 = (1 << 27) - 1;

/// Returns `erlang:phash2(Texts)` of a list of binaries, which is not made.
pub(crate) fn phash2_of_texts<'t>(texts: impl Iterator<Item = &'t str>) -> u32 {
    of_list(texts.fold(0, |hash, text| of_binary(text.as_bytes(), hash))) & HASH_BITS
}

/// Hashes a term after what went before.
fn hashed(term: &ErlangTerm<'_>, before: u32) -> u32 {
    match term {
        ErlangTerm::Atom(name) if before == 0 => of_atom(name),
        ErlangTerm::Atom(name) => two(of_atom(name), 0, golden(3), before),
        ErlangTerm::Binary(bytes) => of_binary(bytes, before),
        ErlangTerm::Integer(number) => of_integer(*number, before),
        ErlangTerm::Float(number) => {
            // Both zeros are one number.
            let bits = if *number == 0.0 { 0 } else { number.to_bits() };
            two((bits >> 32) as u32, bits as u32, golden(12), before)
        }
        ErlangTerm::Tuple(elements) => {
            let arity = two(elements.len() as u32, 0, golden(9), before);
            elements.iter().fold(arity, |hash, element| hashed(element, hash))
        }
        ErlangTerm::List(elements) => of_list(elements.iter().fold(before, |hash, element| hashed(element, hash))),
    }
}

/// Closes a list whose elements are hashed.
fn of_list(hash: u32) -> u32 {
    match hash {
        0 => 3_468_870_702,
        hash => two(2, 0, golden(2), hash),
    }
}

fn of_binary(bytes: &[u8], before: u32) -> u32 {
    let before = golden(13).wrapping_add(before);
    if bytes.is_empty() { before } else { of_bytes(bytes, before) }
}

/// Mixes three words, as Bob Jenkins does; the third is the hash.
fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    for (right, left, last) in [(13, 8, 13), (12, 16, 5), (3, 10, 15)] {
        a = a.wrapping_sub(b).wrapping_sub(c) ^ (c >> right);
        b = b.wrapping_sub(c).wrapping_sub(a) ^ (a << left);
        c = c.wrapping_sub(a).wrapping_sub(b) ^ (b >> last);
    }
    (a, b, c)
}

/// Mixes two words of a kind into a hash.
fn two(first: u32, second: u32, kind: u32, hash: u32) -> u32 {
    mix(kind.wrapping_add(first), kind.wrapping_add(second), hash).2
}

fn of_integer(number: i128, before: u32) -> u32 {
    let magnitude = number.unsigned_abs() as u64;
    if (-(1 << 27)..1 << 27).contains(&number) {
        // Negative numbers are mixed twice.
        let before = if number < 0 { two(magnitude as u32, 0, GOLDEN, before) } else { before };
        return two(number as u32, 0, GOLDEN, before);
    }
    let kind = if number < 0 { golden(10) } else { golden(11) };
    two(magnitude as u32, (magnitude >> 32) as u32, kind, before)
}

fn of_bytes(bytes: &[u8], before: u32) -> u32 {
    let words = |block: &[u8; 12]| {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = *block;
        [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3]].map(u32::from_le_bytes)
    };
    let (mut a, mut b, mut c) = (GOLDEN, GOLDEN, before);
    let (blocks, rest) = bytes.as_chunks::<12>();
    for block in blocks {
        let added = words(block);
        (a, b, c) = mix(a.wrapping_add(added[0]), b.wrapping_add(added[1]), c.wrapping_add(added[2]));
    }
    let mut last = [0; 12];
    last[..rest.len()].copy_from_slice(rest);
    let added = words(&last);
    // The lowest byte of the last word is the length's.
    let length = (added[2] << 8).wrapping_add(bytes.len() as u32);
    mix(a.wrapping_add(added[0]), b.wrapping_add(added[1]), c.wrapping_add(length)).2
}

/// The hash by which Erlang's table of atoms finds a name.
fn of_atom(name: &str) -> u32 {
    name.bytes().fold(0, |hash: u32, byte| {
        let hash = (hash << 4).wrapping_add(byte.into());
        match hash & 0xf000_0000 {
            0 => hash,
            high => hash ^ (high >> 24) ^ high,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::ErlangTerm::{Atom, Binary, Float, Integer, List, Tuple};
    use super::*;

    fn as_text<'t>(term: &ErlangTerm<'t>) -> Option<&'t str> {
        if let Binary(bytes) = term { std::str::from_utf8(bytes).ok() } else { None }
    }

    #[test]
    fn terms_hash_as_erlang_says() {
        let typed = |kind: &'static str, value: ErlangTerm<'static>| Tuple(vec![Atom(kind), value]);
        for (term, hash) in [
            (Binary(b""), 13_708_901),
            (Binary(b"a"), 112_802_447),
            (Binary(b"abcdefghijkl"), 15_432_855),
            (Binary(b"abcdefghijklm"), 11_441_572),
            (Atom("true"), 506_293),
            (Atom("false"), 7_111_573),
            (Integer(0), 88_723_725),
            (Integer(1), 2_614_250),
            (Integer(-1), 44_071_773),
            (Integer(134_217_727), 112_602_999),
            (Integer(134_217_728), 12_354_923),
            (Integer(-134_217_728), 69_672_967),
            (Integer(-134_217_729), 76_739_502),
            (Integer(1 << 40), 13_893_919),
            (Integer(i64::MAX.into()), 28_179_613),
            (Integer(i64::MIN.into()), 126_213_383),
            (Float(1.5), 10_380_315),
            (Float(-0.0), 20_875_736),
            (typed("longstr", Binary(b"a")), 65_711_459),
            (typed("longstr", Binary(b"")), 116_351_706),
            (typed("signedint", Integer(5)), 40_839_585),
            (typed("long", Integer(5)), 129_380_108),
            (typed("byte", Integer(-5)), 100_886_737),
            (typed("bool", Atom("true")), 32_030_443),
            (typed("void", Atom("undefined")), 27_077_197),
            (typed("float", Float(1.5)), 89_550_739),
            (typed("array", List(vec![])), 86_211_673),
            (typed("array", List(vec![typed("longstr", Binary(b"a"))])), 130_437_836),
            (Tuple(vec![Binary(b"k"), Atom("longstr"), Binary(b"v")]), 37_084_577),
            (List(vec![]), 113_427_502),
            (List(vec![Binary(b"a")]), 53_691_870),
            (List(vec![Binary(b"")]), 38_220_213),
            (List(vec![Binary(b"a"), Binary(b"b")]), 3_094_894),
        ] {
            assert_eq!(phash2(&term), hash, "{term:?}");
            if let List(texts) = &term
                && let Some(texts) = texts.iter().map(as_text).collect::<Option<Vec<&str>>>()
            {
                assert_eq!(phash2_of_texts(texts.into_iter()), hash, "{term:?}");
            }
        }
    }
}
