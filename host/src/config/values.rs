//! From text to values. Each function says what the text must be if it isn't.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chatport_sdk::{descriptor::is_id, secret::Secret};
use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{DatabaseAddress, Demo, LogFormat, RateOverride};
use crate::security::webhook_signature;

type Read<T> = Result<T, String>;

pub(super) fn text(value: &str) -> Read<String> {
    Ok(value.to_owned())
}

pub(super) fn secret(value: &str) -> Read<Secret> {
    Ok(Secret::new(value))
}

pub(super) fn path(value: &str) -> Read<PathBuf> {
    if value.is_empty() { Err("it must be a path".to_owned()) } else { Ok(PathBuf::from(value)) }
}

pub(super) fn name(value: &str) -> Read<String> {
    let length = value.chars().count();
    if !(1..=64).contains(&length) || value.chars().any(char::is_control) || value.trim() != value {
        return Err("it must have 1 to 64 characters, without spaces around it".to_owned());
    }
    Ok(value.to_owned())
}

pub(super) fn address(value: &str) -> Read<SocketAddr> {
    value.parse().map_err(|_| "it must be an IP address and a port, such as 127.0.0.1:8000 or [::]:8000".to_owned())
}

pub(super) fn public_url(value: &str) -> Read<Url> {
    let expected = "it must be an http or https address without query, such as https://chatport.example.com";
    let mut url = Url::parse(value).map_err(|_| expected.to_owned())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !plain || url.password().is_some() {
        return Err(expected.to_owned());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

pub(super) fn database(value: &str) -> Read<DatabaseAddress> {
    let expected = "it must be sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME";
    if let Some(rest) = value.strip_prefix("sqlite:") {
        let file = rest.strip_prefix("//").unwrap_or(rest);
        // What SQLite calls memory would be forgotten, and parameters are the host's matter.
        if file.is_empty() || file.starts_with(':') || file.contains('?') {
            return Err(format!("{expected}; SQLite takes a plain file name"));
        }
        return Ok(DatabaseAddress::Sqlite(PathBuf::from(file)));
    }
    let url = Url::parse(value).map_err(|_| expected.to_owned())?;
    if matches!(url.scheme(), "postgres" | "postgresql") {
        Ok(DatabaseAddress::Postgres(Secret::new(value)))
    } else {
        Err(expected.to_owned())
    }
}

pub(super) fn log_filter(value: &str) -> Read<String> {
    EnvFilter::builder()
        .parse(value)
        .map(|_| value.to_owned())
        .map_err(|_| "it must be a filter such as info or warn,chatport_host=debug".to_owned())
}

pub(super) fn log_format(value: &str) -> Read<LogFormat> {
    choice(value, &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)])
}

pub(super) fn demo(value: &str) -> Read<Demo> {
    choice(value, &[("on", Demo::On), ("off", Demo::Off), ("auto", Demo::Auto)])
}

fn choice<T: Copy>(value: &str, choices: &[(&str, T)]) -> Read<T> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("it must be one of: {}", names.join(", "))
    })
}

pub(super) fn number(value: &str) -> Read<u64> {
    value.parse().map_err(|_| "it must be a whole number".to_owned())
}

pub(super) fn count(value: &str) -> Read<usize> {
    value.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it must be a whole number above 0".to_owned())
}

pub(super) fn seconds(value: &str) -> Read<Duration> {
    let digits = value.strip_suffix('s').unwrap_or(value);
    digits.parse().map(Duration::from_secs).map_err(|_| "it must be a whole number of seconds".to_owned())
}

pub(super) fn size(value: &str) -> Read<u64> {
    const UNITS: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("", 1)];
    UNITS
        .iter()
        .find_map(|(unit, bytes)| {
            let number: u64 = value.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(*bytes)
        })
        .ok_or_else(|| "it must be a size such as 512MiB, 2GiB or a number of bytes".to_owned())
}

pub(super) fn network(value: &str) -> Read<IpNet> {
    let single = || value.parse::<std::net::IpAddr>().map(IpNet::from).ok();
    value.parse().ok().or_else(single).ok_or_else(|| "it must be an address or a network such as 10.0.0.0/8".to_owned())
}

pub(super) fn rate(value: &str) -> Read<RateOverride> {
    let read = || {
        let (name, rate) = value.split_once('=')?;
        let (backend, name) = name.trim().split_once('.')?;
        let (per_second, burst) = rate.trim().split_once('/')?;
        let per_second: f64 = per_second.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0)?;
        let burst: u32 = burst.parse().ok().filter(|n| *n > 0)?;
        Some(RateOverride { backend: backend.to_owned(), rate: name.to_owned(), per_second, burst })
    };
    read().ok_or_else(|| "it must be BACKEND.RATE=N/BURST, such as chat.default=20/40".to_owned())
}

/// The id and the address of a remote backend.
pub(super) fn remote(value: &str) -> Read<(String, Url)> {
    let expected = "it must be ID=URL, such as pager=http://127.0.0.1:9000/";
    let (id, url) = value.split_once('=').ok_or(expected)?;
    let url = public_url(url.trim()).map_err(|_| expected.to_owned())?;
    if is_id(id.trim()) { Ok((id.trim().to_owned(), url)) } else { Err(expected.to_owned()) }
}

/// The secrets of remote backends, by id.
pub(super) fn remote_secrets(value: &str) -> Read<Vec<(String, Vec<Secret>)>> {
    let one = |item: &str| {
        let (id, secrets) = item.split_once('=')?;
        let secrets: Vec<Secret> = secrets.split_whitespace().map(Secret::new).collect();
        let is_good = !secrets.is_empty() && secrets.iter().all(webhook_signature::is_strong);
        is_good.then(|| (id.trim().to_owned(), secrets))
    };
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(one).collect::<Option<_>>().ok_or_else(|| {
        "it must be ID=whsec_… with at least 24 bytes in base64; a new and an old secret with a space between, \
         several IDs with commas"
            .to_owned()
    })
}
