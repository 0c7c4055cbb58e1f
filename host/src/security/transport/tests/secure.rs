//! TLS: who is believed, and that nothing of a call leaves before.
//!
//! The authority in `testdata` signed the server's certificate for `chat.test`; both are good
//! for nothing else.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use chatport_sdk::http::HttpErrorKind;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use url::Url;

use super::{
    super::Transports,
    platform::{Caller, HOST, Lookup, Names, Platform, Reply, local, transports},
};
use crate::security::{install_crypto_providers, network::Policy};

const AUTHORITY: &[u8] = include_bytes!("../testdata/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("../testdata/server.pem");
const KEY: &[u8] = include_bytes!("../testdata/server.key.pem");

/// A platform with a certificate for `chat.test`, on this port.
fn secure_platform() -> u16 {
    install_crypto_providers();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    let config = Arc::new(config.expect("a certificate with its key"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let connection = ServerConnection::new(config.clone()).expect("TLS");
            let mut stream = StreamOwned::new(connection, stream);
            // A client that doesn't believe the certificate hangs up here.
            if matches!(stream.read(&mut [0; 4096]), Ok(read) if read > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").expect("a client that reads");
            }
        }
    });
    port
}

fn authority() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, AUTHORITY).expect("a file");
    (folder, path)
}

fn caller(host: &str, port: u16, authority: Option<&Path>) -> (Caller, Url) {
    let names = Names::with(host, Lookup::Is(local()));
    let transports = transports(&[format!("{host}=127.0.0.1:{port}")], names, authority);
    (Caller::of(&transports), Url::parse(&format!("https://{host}:{port}/")).expect("a URL"))
}

#[tokio::test]
async fn a_certificate_by_the_operators_authority_is_believed() {
    let (_folder, authority) = authority();
    let (caller, url) = caller(HOST, secure_platform(), Some(&authority));
    assert_eq!(&caller.post(url).await.expect("an answer").body[..], b"hi");
}

#[tokio::test]
async fn a_certificate_by_an_unknown_authority_is_not_believed_and_nothing_was_sent() {
    let (caller, url) = caller(HOST, secure_platform(), None);
    assert_eq!(caller.failure(url).await, (HttpErrorKind::Connect, false));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed_and_nothing_was_sent() {
    let (_folder, authority) = authority();
    let (caller, url) = caller("other.test", secure_platform(), Some(&authority));
    let error = caller.post(url).await.expect_err("another name");
    assert_eq!((error.kind, error.sent), (HttpErrorKind::Connect, false));
    assert!(error.detail.contains("other.test"), "{}", error.detail);
}

#[tokio::test]
async fn a_platform_that_speaks_no_tls_was_not_sent_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("a client that reads");
    });
    let (caller, url) = caller(HOST, port, None);
    assert_eq!(caller.failure(url).await, (HttpErrorKind::Connect, false));
}

#[tokio::test]
async fn a_platform_that_is_silent_during_the_handshake_was_not_sent_to() {
    let platform = Platform::that_replies([Reply::Stall("")]).await;
    let (caller, url) = caller(HOST, platform.port, None);
    assert_eq!(caller.failure(url).await, (HttpErrorKind::Timeout, false));
    assert_eq!(platform.connections(), 1);
}

#[test]
fn a_file_without_certificates_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("authority.pem");
    for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&path, text).expect("a file");
        let error = Transports::new(Policy::default(), Some(&path)).expect_err("no authority").to_string();
        assert!(error.contains("authority.pem"), "{error}");
    }
    Transports::new(Policy::default(), Some(&folder.path().join("absent"))).expect_err("no file");
}
