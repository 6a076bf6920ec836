//! A broker's greeting, connection.start: which mechanisms it offers. Takes bytes, reads nothing beyond them.

/// Reads the mechanisms of a broker's greeting; `None` as long as it is not whole.
pub(crate) fn mechanisms_of(bytes: &[u8]) -> Option<Vec<String>> {
    // A method on channel 0, its length, connection.start, two numbers of the protocol, properties, mechanisms.
    let (_, rest) = bytes.strip_prefix(&[1, 0, 0])?.split_first_chunk::<4>()?;
    let rest = rest.strip_prefix(&[0, 10, 0, 10])?.get(2..)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let rest = rest.get(u32::from_be_bytes(*length) as usize..)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let names = rest.get(..u32::from_be_bytes(*length) as usize)?;
    Some(String::from_utf8_lossy(names).split_whitespace().map(str::to_owned).collect())
}

/// Writes a greeting that offers these mechanisms.
#[cfg(test)]
pub(crate) fn greeting(mechanisms: &str) -> Vec<u8> {
    let mut start = vec![1, 0, 0, 0, 0, 0, 99, 0, 10, 0, 10, 0, 9, 0, 0, 0, 5, b'a', b'b', b'c', b'd', b'e'];
    start.extend_from_slice(&(mechanisms.len() as u32).to_be_bytes());
    start.extend_from_slice(mechanisms.as_bytes());
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_greeting_offers_nothing() {
        let whole = greeting("PLAIN EXTERNAL");
        assert_eq!(mechanisms_of(&whole).expect("whole"), ["PLAIN", "EXTERNAL"]);
        assert!((0..whole.len()).all(|end| mechanisms_of(&whole[..end]).is_none()));
    }
}
