//! What a certificate says: whose it is, which names it has, who signed it, how long it holds.
//! Lenient: what cannot be read is left out, for these are facts to show and never to trust.

use crate::report::CertificateFacts;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Reads a certificate; `None` when it is none.
pub(crate) fn facts_of(der: &[u8]) -> Option<CertificateFacts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => ip_address(bytes),
        _ => None,
    });
    let not_after = certificate.validity().not_after.timestamp();
    Some(CertificateFacts {
        subject: certificate.subject().to_string(),
        names: names.collect(),
        issuer: certificate.issuer().to_string(),
        not_after,
        last_day: day_of(not_after),
    })
}

fn ip_address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

/// Returns the common name of the certificate in a file, by which brokers often name the user.
pub(crate) fn common_name_in(path: &str) -> Option<String> {
    use rustls::pki_types::pem::PemObject;
    let pem = std::fs::read(path).ok()?;
    let der = rustls::pki_types::CertificateDer::from_pem_slice(&pem).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}

/// Returns the common names of a certificate's subject, as RabbitMQ joins them.
pub(crate) fn common_names_of(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names: Option<Vec<&str>> = certificate.subject().iter_common_name().map(|name| name.as_str().ok()).collect();
    names.filter(|names| !names.is_empty()).map(|names| names.join(","))
}

/// Returns a certificate's subject as RabbitMQ names a user by it: the last part first, by RFC 4514.
pub(crate) fn distinguished_name_of(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut parts = Vec::new();
    for part in certificate.subject().iter_rdn() {
        let values: Option<Vec<String>> = part
            .iter()
            .map(|value| {
                let kind = value.attr_type().to_id_string();
                let short = SUBJECT_PARTS.iter().find(|(id, _)| *id == kind).map(|(_, short)| *short);
                Some(format!("{}={}", short.unwrap_or(&kind), escaped(value.as_str().ok()?)))
            })
            .collect();
        parts.push(values?.join("+"));
    }
    parts.reverse();
    Some(parts.join(","))
}

/// The parts of a subject that have a short name in RabbitMQ.
const SUBJECT_PARTS: [(&str, &str); 16] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "TITLE"),
    ("2.5.4.42", "GIVENNAME"),
    ("2.5.4.43", "INITIALS"),
    ("2.5.4.44", "GENERATIONQUALIFIER"),
    ("2.5.4.65", "PSEUDONYM"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "EMAILADDRESS"),
];

/// Escapes what has a meaning in a distinguished name, as RabbitMQ does.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    let last = value.len().saturating_sub(1);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => text.extend(['\\', byte.into()]),
            b' ' if at == 0 || at == last => text.push_str("\\ "),
            b'#' if at == 0 => text.push_str("\\#"),
            32..126 => text.push(byte.into()),
            // What is no ASCII is written byte by byte.
            _ => text.push_str(&format!("\\{byte:02X}")),
        }
    }
    text
}

/// Writes a day as `2026-11-29`.
pub(crate) fn day_of(seconds: i64) -> String {
    // Days since 1 March of the year 0, in cycles of 400 years.
    let days = seconds.div_euclid(86_400) + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let march = (5 * day_of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", day_of_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates() {
        let table = [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_577_836_799, "2019-12-31"), (-1, "1969-12-31")];
        for (seconds, day) in table {
            assert_eq!(day_of(seconds), day);
        }
        assert_eq!(day_of(4_102_444_800), "2100-01-01");
    }

    #[test]
    fn what_is_no_certificate_has_no_name() {
        assert_eq!(facts_of(b"\x30\x03nope"), None);
        assert_eq!(common_name_in("/there/is/no/such/file"), None);
        assert_eq!((distinguished_name_of(b"nope"), common_names_of(b"nope")), (None, None));
    }

    #[test]
    fn values_of_a_distinguished_name_are_escaped() {
        let table = [("a, b", "a\\, b"), ("#1", "\\#1"), (" x ", "\\ x\\ "), ("plain", "plain"), ("ä", "\\C3\\A4")];
        for (value, text) in table {
            assert_eq!(escaped(value), text);
        }
    }
}
