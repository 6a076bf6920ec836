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
    }
}
