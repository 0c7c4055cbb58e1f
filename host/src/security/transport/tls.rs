//! TLS for outgoing connections: the system's certificate authorities, and the operator's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The operator's file of certificates can't be used.
    #[error("extra_ca_file: {0}: {1}")]
    ExtraAuthorities(PathBuf, String),
}

/// Trust the system's authorities and those in `extra`, a file of certificates in PEM.
pub(crate) fn client_config(extra: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    crate::security::install_crypto_providers();
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of the system's certificate authorities can't be read");
    }
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!("the system has no certificate authorities: install its ca-certificates, or set extra_ca_file");
    }
    if let Some(path) = extra {
        add_file(&mut roots, path).map_err(|problem| TlsError::ExtraAuthorities(path.into(), problem))?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| format!("can't be read as PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|error| format!("a certificate can't be used: {error}"))?;
    }
    Ok(())
}
