//! TLS 1.2 and 1.3 for clients, by rustls on ring.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{CertificateError, Error};

use super::error::{Failure, Kind};
use super::verify::{Roots, Verifier};

/// Whom to trust and who we are.
pub struct TlsOptions {
    /// The trusted certificates, PEM. Not looked at without `verify`.
    pub roots: Vec<u8>,
    /// Whether a server must prove who it is. Without it, any certificate will do.
    pub verify: bool,
    /// Whether its certificate must name the host; without it, any certificate of a trusted issuer will do.
    pub check_hostname: bool,
    /// Our own certificate chain and its private key, PEM each; the same bytes twice if one file holds both.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Make the configuration that connections share. The error says what is wrong with the certificates or the key.
pub fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, String> {
    let provider = ring::default_provider();
    let verifier = Verifier {
        roots: options.verify.then(|| Roots::from_pem(&options.roots)).transpose()?,
        check_hostname: options.check_hostname,
        supported: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &options.identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(read_chain(chain)?, read_key(key)?)
            .map_err(|error| format!("the client certificate and its key cannot be used: {error}"))?,
    };
    Ok(Arc::new(config))
}

fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err("the client certificate's file holds no certificate".into()),
        Ok(chain) => Ok(chain),
        Err(error) => Err(format!("the client certificate is not PEM: {error}")),
    }
}

fn read_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    // PKCS #8 says so in the label, the older forms in a header below it.
    let encrypted = |line: &[u8]| {
        line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY") || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
    };
    if pem.split(|&byte| byte == b'\n').any(encrypted) {
        return Err("the private key is encrypted: decrypt it first, passwords are not supported".into());
    }
    // The error of the reader may quote what it read.
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| "the key file holds no private key in PEM".into())
}

/// Speak TLS over a stream to `name`, a DNS name or an address. `ConnectError` says what failed.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    config: &Arc<ClientConfig>,
    name: &str,
    stream: S,
    alpn: &[&[u8]],
) -> Result<TlsStream<S>, Failure> {
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| Kind::ConnectError.because(format_args!("{name:?} is no name that a certificate can have")))?;
    let alpn = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::clone(config))
        .with_alpn(alpn)
        .connect(server, stream)
        .await
        .map_err(|error| Kind::ConnectError.because(describe(name, &error)))
}

/// What went wrong in a handshake, in the words that people search for.
fn describe(name: &str, error: &io::Error) -> String {
    let refused = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(refused)) => refused,
        Some(other) => return format!("TLS handshake with {name} failed: {other}"),
        None => return format!("TLS handshake with {name} failed: {error}"),
    };
    let reason = match refused {
        CertificateError::UnknownIssuer => {
            "its issuer is not trusted (self-signed, or a CA that is not in the CA file)"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "certificate is not yet valid",
        other => return format!("certificate verify failed for {name}: {other}"),
    };
    format!("certificate verify failed for {name}: {reason}")
}
