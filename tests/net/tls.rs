//! Whom a client trusts, and how it says that it does not: real handshakes with certificates made on the spot.

use std::sync::Arc;

use eugpt_fast::net::connect::{Connector, Route};
use eugpt_fast::net::error::{Failure, Kind};
use eugpt_fast::net::io::Io;
use eugpt_fast::net::tls::{TlsOptions, client_config};
use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::support::{Ca, Identity, acceptor, listen, provider, read_chain, read_key, run, self_signed};

fn trusting(pem: &str) -> TlsOptions {
    TlsOptions { roots: pem.into(), verify: true, check_hostname: true, identity: None }
}

fn calls_itself_ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn expired(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2001, 1, 1);
    params.not_before = date_time_ymd(2000, 1, 1);
}

/// Shake hands with a server under this name, and read what it says.
async fn greet(options: &TlsOptions, server: TlsAcceptor, name: &str) -> Result<String, Failure> {
    let (listener, port) = listen().await;
    let serving = tokio::spawn(async move {
        let stream = listener.accept().await.unwrap().0;
        if let Ok(mut stream) = server.accept(stream).await {
            let certificates = stream.get_ref().1.peer_certificates().map_or(0, <[_]>::len);
            stream.write_all(format!("{certificates} from you").as_bytes()).await.unwrap();
            stream.shutdown().await.ok();
        }
    });
    let tls = client_config(options).unwrap();
    let connector = Connector {
        proxy_tls: Arc::clone(&tls),
        tls,
        #[cfg(unix)]
        uds: None,
        local_address: None,
        http1: true,
        http2: false,
    };
    let route = Route { https: true, host: "127.0.0.1".into(), port, sni: Some(name.into()), proxy: None };
    let result = match connector.connect(&route).await {
        Err(failure) => Err(failure),
        Ok(mut connection) => {
            assert!(matches!(connection.io, Io::Tls(_)));
            let mut said = String::new();
            let read = connection.io.read_to_string(&mut said).await;
            read.map(|_| said).map_err(|error| Kind::ReadError.because(error))
        }
    };
    serving.await.unwrap();
    result
}

async fn accepted(options: &TlsOptions, server: &Identity, name: &str) {
    assert_eq!(greet(options, acceptor(server, &[], None), name).await.unwrap(), "0 from you");
}

async fn refused(options: &TlsOptions, server: &Identity, name: &str, because: &str) {
    let failure = greet(options, acceptor(server, &[], None), name).await.unwrap_err();
    assert_eq!(failure.kind, Kind::ConnectError);
    assert!(failure.message.contains("certificate verify failed") && failure.message.contains(because), "{failure}");
}

#[test]
fn a_server_must_be_vouched_for_be_current_and_have_the_name() {
    run(async {
        let (ca, other) = (Ca::new(), Ca::new());
        let options = trusting(&format!("{}{}", Ca::new().pem(), ca.pem()));
        let server = ca.issue(&["localhost", "127.0.0.1", "*.example.com"], |_| ());
        for name in ["localhost", "127.0.0.1", "a.example.com"] {
            accepted(&options, &server, name).await;
        }
        for name in ["example.com", "127.0.0.2", "a.b.example.com"] {
            refused(&options, &server, name, "not valid for name").await;
        }
        refused(&options, &other.issue(&["localhost"], |_| ()), "localhost", "issuer is not trusted").await;
        refused(&options, &ca.issue(&["localhost"], expired), "localhost", "expired").await;
        let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(2500, 1, 1);
        refused(&options, &ca.issue(&["localhost"], early), "localhost", "not yet valid").await;
    });
}

#[test]
fn without_host_names_the_issuer_still_counts() {
    run(async {
        let ca = Ca::new();
        let options = TlsOptions { check_hostname: false, ..trusting(&ca.pem()) };
        accepted(&options, &ca.issue(&["localhost"], |_| ()), "example.com").await;
        refused(&options, &self_signed(&["example.com"], |_| ()), "example.com", "issuer is not trusted").await;
        refused(&options, &ca.issue(&["example.com"], expired), "example.com", "expired").await;
    });
}

#[test]
fn without_verification_any_certificate_will_do() {
    run(async {
        let options = TlsOptions { roots: Vec::new(), verify: false, check_hostname: true, identity: None };
        accepted(&options, &self_signed(&["localhost"], expired), "example.com").await;
        accepted(&options, &self_signed(&["localhost"], calls_itself_ca), "example.com").await;
    });
}

#[test]
fn a_self_signed_certificate_may_be_trusted_by_itself() {
    run(async {
        let leaf = self_signed(&["localhost"], |_| ());
        let ca_leaf = self_signed(&["localhost"], calls_itself_ca);
        for server in [&leaf, &ca_leaf] {
            accepted(&trusting(&server.chain), server, "localhost").await;
            refused(&trusting(&server.chain), server, "example.com", "not valid for name").await;
        }
        let old = self_signed(&["localhost"], |params| {
            calls_itself_ca(params);
            expired(params);
        });
        refused(&trusting(&old.chain), &old, "localhost", "expired").await;
        // Only that very certificate: not another of the same name, and not one that a trusted CA has issued.
        refused(&trusting(&ca_leaf.chain), &self_signed(&["localhost"], calls_itself_ca), "localhost", "").await;
        let ca = Ca::new();
        refused(&trusting(&ca.pem()), &ca.issue(&["localhost"], calls_itself_ca), "localhost", "").await;
    });
}

#[test]
fn a_pinned_certificate_is_worth_nothing_without_its_key() {
    run(async {
        let real = self_signed(&["localhost"], calls_itself_ca);
        let thief = self_signed(&["localhost"], calls_itself_ca);
        let key = read_key(&thief.key);
        let signer = tokio_rustls::rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let stolen = tokio_rustls::rustls::sign::CertifiedKey::new(read_chain(&real.chain), signer);
        let server = tokio_rustls::rustls::server::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(tokio_rustls::rustls::sign::SingleCertAndKey::from(stolen)));
        let failure =
            greet(&trusting(&real.chain), TlsAcceptor::from(Arc::new(server)), "localhost").await.unwrap_err();
        assert_eq!(failure.kind, Kind::ConnectError);
        assert!(failure.message.contains("BadSignature"), "{failure}");
    });
}

#[test]
fn a_client_shows_its_certificate_where_one_is_asked_for() {
    run(async {
        let ca = Ca::new();
        let server = ca.issue(&["localhost"], |_| ());
        let client = ca.issue(&["client"], |_| ());
        let both = format!("{}{}", client.key, client.chain);
        for (chain, key) in [(&client.chain, &client.key), (&both, &both)] {
            let identity = Some((chain.clone().into_bytes(), key.clone().into_bytes()));
            let options = TlsOptions { identity, ..trusting(&ca.pem()) };
            assert_eq!(greet(&options, acceptor(&server, &[], Some(&ca)), "localhost").await.unwrap(), "1 from you");
        }
        let failure = greet(&trusting(&ca.pem()), acceptor(&server, &[], Some(&ca)), "localhost").await.unwrap_err();
        assert!(failure.message.contains("CertificateRequired"), "{failure}");
    });
}

#[test]
fn a_server_that_speaks_no_tls_is_a_failure_to_connect() {
    run(async {
        let (listener, port) = listen().await;
        let serving = tokio::spawn(async move {
            let mut stream = listener.accept().await.unwrap().0;
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.ok();
        });
        let tls = client_config(&trusting(&Ca::new().pem())).unwrap();
        let connector = Connector {
            proxy_tls: Arc::clone(&tls),
            tls,
            #[cfg(unix)]
            uds: None,
            local_address: None,
            http1: true,
            http2: false,
        };
        let route = Route { https: true, host: "127.0.0.1".into(), port, sni: None, proxy: None };
        let failure = connector.connect(&route).await.unwrap_err();
        assert_eq!(failure.kind, Kind::ConnectError);
        assert!(failure.message.contains("TLS handshake with 127.0.0.1 failed"), "{failure}");
        let nameless = Route { sni: Some("not a name".into()), ..route };
        assert_eq!(connector.connect(&nameless).await.unwrap_err().kind, Kind::ConnectError);
        serving.await.unwrap();
    });
}

#[test]
fn what_is_wrong_with_certificates_and_keys_is_said_without_quoting_them() {
    let ca = Ca::new();
    let (client, other) = (ca.issue(&["client"], |_| ()), ca.issue(&["client"], |_| ()));
    let pkcs8 = client.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let traditional =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nQUFB\n-----END RSA PRIVATE KEY-----\n";
    let broken = client.key.replace("\nM", "\n!M");
    for (chain, key, told) in [
        (&client.chain[..], &pkcs8[..], "encrypted"),
        (&client.chain, traditional, "encrypted"),
        (&client.chain, &client.chain, "no private key"),
        (&client.chain, "", "no private key"),
        (&client.chain, &broken, "no private key"),
        (&client.chain, &other.key, "cannot be used"),
        (&client.key, &client.key, "no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", &client.key, "not PEM"),
    ] {
        let identity = Some((chain.as_bytes().to_vec(), key.as_bytes().to_vec()));
        let error = client_config(&TlsOptions { identity, ..trusting(&ca.pem()) }).unwrap_err();
        assert!(error.contains(told), "{error}");
        assert!(!client.key.lines().any(|line| error.contains(line)), "{error}");
    }
    for roots in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(client_config(&trusting(roots)).unwrap_err().contains("no certificate"));
    }
}
