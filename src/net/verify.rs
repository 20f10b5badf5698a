//! Whether a server is whom it says it is.

use std::sync::{Arc, Mutex};

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// How many sets of trusted certificates are kept: the default one, and a few of people's own.
const KEPT: usize = 4;

/// A PEM text and what was read from it.
type Read = (Box<[u8]>, Arc<Roots>);

/// The certificates that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    anchors: RootCertStore,
    /// As given, for a server that shows one of them as its own.
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// Read from PEM. What cannot be read is left out, as system bundles hold odd ones; an error if nothing remains.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Arc<Self>, String> {
        // 140 certificates take milliseconds, and every transport asks for the same ones. The lock is only tried:
        // a process forked while another thread held it would wait forever.
        static CACHE: Mutex<Vec<Read>> = Mutex::new(Vec::new());
        let known = CACHE
            .try_lock()
            .ok()
            .and_then(|cache| cache.iter().find(|(text, _)| **text == *pem).map(|(_, roots)| Arc::clone(roots)));
        if let Some(roots) = known {
            return Ok(roots);
        }
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        let mut anchors = RootCertStore::empty();
        if anchors.add_parsable_certificates(certificates.iter().cloned()).0 == 0 {
            return Err("the CA file holds no certificate that can be used".into());
        }
        let roots = Arc::new(Self { anchors, certificates });
        if let Ok(mut cache) = CACHE.try_lock() {
            cache.truncate(KEPT - 1);
            cache.insert(0, (pem.into(), Arc::clone(&roots)));
        }
        Ok(roots)
    }
}

/// What is asked of a server's certificate.
#[derive(Debug)]
pub(super) struct Verifier {
    /// Whom to trust; nobody is asked for anything if absent.
    pub(super) roots: Option<Arc<Roots>>,
    /// Whether the certificate must name the host.
    pub(super) check_hostname: bool,
    /// The signatures that can be checked.
    pub(super) supported: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// A signature by a key that nobody vouches for proves nothing, and odd certificates would fail in checking it.
    fn signed(
        &self,
        check: impl FnOnce() -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.roots.is_none() { Ok(HandshakeSignatureValid::assertion()) } else { check() }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &roots.anchors,
                intermediates,
                now,
                self.supported.all,
            )
            .or_else(|error| {
                // A self-signed certificate that is trusted by itself, as `openssl req -x509` makes it: it calls
                // itself a CA, and only that is wrong with it (its dates were looked at before).
                let trusted = is_ca(&error) && roots.certificates.contains(end_entity);
                if trusted { Ok(()) } else { Err(error) }
            })?;
            if self.check_hostname {
                verify_server_name(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(|| verify_tls12_signature(message, certificate, signature, &self.supported))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(|| verify_tls13_signature(message, certificate, signature, &self.supported))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.supported.supported_schemes()
    }
}

/// Whether a certificate was refused because it may issue others, and for nothing else.
fn is_ca(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Roots;

    #[test]
    fn roots_are_read_once_and_odd_ones_are_left_out() {
        let mut pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
        pem += "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        pem += "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAA";
        let roots = Roots::from_pem(pem.as_bytes()).unwrap();
        assert_eq!(roots.anchors.len(), 1);
        assert!(Arc::ptr_eq(&roots, &Roots::from_pem(pem.as_bytes()).unwrap()));
        pem += "\n";
        assert!(!Arc::ptr_eq(&roots, &Roots::from_pem(pem.as_bytes()).unwrap()));
    }
}
