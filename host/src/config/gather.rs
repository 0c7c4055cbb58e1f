//! Bringing the four places together: what is set, to what, and by whom.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{
    ConfigError, Settings,
    cli::Flags,
    table::{CONFIG_VARIABLE, SETTINGS, Setting, Unset, nearest, setting},
};

/// The name of the file that is read without being asked for.
const FILE_NAME: &str = "chatport.toml";

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// A file.
    File(String),
    /// Nobody.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One setting as `chatport config` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The setting.
    pub key: &'static str,
    /// Its value; hidden if it is secret.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}  # {}", self.key, self.value, self.origin)
    }
}

#[derive(Debug)]
struct Found {
    values: Vec<String>,
    origin: Origin,
}

/// What was found for each setting, the strongest place only.
#[derive(Debug, Default)]
pub(super) struct Gathered(BTreeMap<&'static str, Found>);

impl Gathered {
    /// Gather from flags, environment and files; `folder` is where the program was started.
    pub(super) fn from(flags: Flags, environment: &[(OsString, OsString)], folder: &Path) -> Result<Self, ConfigError> {
        let mut gathered = Self::default();
        for (setting, values) in flags.values {
            gathered.offer(setting.key, values, Origin::Flag(setting.flag));
        }
        let variable_file = gathered.take_environment(environment)?;
        match flags.config.or(variable_file) {
            Some(file) => {
                let text = read_file(&file).map_err(|error| unreadable(&file, &error))?;
                gathered.take_file(&file, &text)?;
            }
            None => gathered.take_usual_files(folder)?,
        }
        Ok(gathered)
    }

    fn offer(&mut self, key: &'static str, values: Vec<String>, origin: Origin) {
        self.0.entry(key).or_insert(Found { values, origin });
    }

    /// The answer is the file that the environment names.
    fn take_environment(&mut self, environment: &[(OsString, OsString)]) -> Result<Option<PathBuf>, ConfigError> {
        for (name, _) in environment {
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
            let known = || all_variables().chain([CONFIG_VARIABLE]);
            if !known().any(|variable| variable == name) {
                let nearest = nearest(name, known());
                return Err(ConfigError::UnknownVariable { variable: name.to_owned(), nearest });
            }
        }
        // An empty variable counts as unset: compose files pass variables on that way.
        let value_of = |wanted: &str| {
            let (_, value) = environment.iter().find(|(name, _)| name == wanted)?;
            Some(value).filter(|value| !value.is_empty())
        };
        for setting in SETTINGS {
            for &variable in setting.variables {
                let Some(value) = value_of(variable) else { continue };
                let origin = Origin::Variable(variable);
                let Some(value) = value.to_str() else {
                    return Err(refusal(setting, "…", origin, "it must be UTF-8 text"));
                };
                let values = if setting.many { split(value) } else { vec![value.to_owned()] };
                self.offer(setting.key, values, origin);
            }
        }
        Ok(value_of(CONFIG_VARIABLE).map(PathBuf::from))
    }

    fn take_usual_files(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let here = folder.join(FILE_NAME);
        if let Some(text) = read_if_present(&here)? {
            self.take_file(&here, &text)?;
        }
        let in_data = folder.join(self.one("data", super::values::path)?).join(FILE_NAME);
        if in_data == here {
            return Ok(());
        }
        let Some(text) = read_if_present(&in_data)? else { return Ok(()) };
        if parse(&in_data, &text)?.contains_key("data") {
            let instead = "it lies in the data folder itself, so set `data` by --data or CHATPORT_DATA";
            return Err(ConfigError::Misplaced { file: in_data.display().to_string(), key: "data", instead });
        }
        self.take_file(&in_data, &text)
    }

    fn take_file(&mut self, file: &Path, text: &str) -> Result<(), ConfigError> {
        let name = file.display().to_string();
        for (key, value) in parse(file, text)? {
            let Some(setting) = setting(&key) else {
                let nearest = nearest(&key, SETTINGS.iter().filter(|s| !s.secret).map(|s| s.key));
                return Err(ConfigError::UnknownKey { file: name, key, nearest });
            };
            if setting.secret {
                let instead = "secrets are taken from the environment alone";
                return Err(ConfigError::Misplaced { file: name, key: setting.key, instead });
            }
            let origin = Origin::File(name.clone());
            let values = match (setting.many, &value) {
                (true, toml::Value::Array(items)) => items.iter().map(scalar).collect(),
                (_, value) => scalar(value).map(|value| vec![value]),
            };
            let Some(values) = values else {
                let expected = if setting.many { "it must be a list of texts" } else { "it must be one value" };
                return Err(refusal(setting, "another kind of value", origin, expected));
            };
            self.offer(setting.key, values, origin);
        }
        Ok(())
    }

    /// The value of a setting that has a default.
    pub(super) fn one<T>(&self, key: &'static str, read: Reader<T>) -> Result<T, ConfigError> {
        let setting = setting(key).expect("the table has every key that is read");
        match (self.optional(key, read)?, setting.unset) {
            (Some(value), _) => Ok(value),
            (None, Unset::Value(default)) => {
                read(default).map_err(|expected| refusal(setting, default, Origin::Default, &expected))
            }
            (None, Unset::Derived(_)) => unreachable!("a setting without a default is read as optional"),
        }
    }

    /// The value of a setting that may be absent.
    pub(super) fn optional<T>(&self, key: &'static str, read: Reader<T>) -> Result<Option<T>, ConfigError> {
        Ok(self.many(key, read)?.pop())
    }

    /// The values of a setting that may have several.
    pub(super) fn many<T>(&self, key: &'static str, read: Reader<T>) -> Result<Vec<T>, ConfigError> {
        let setting = setting(key).expect("the table has every key that is read");
        let Some(found) = self.0.get(key) else { return Ok(Vec::new()) };
        let read = |value: &String| read(value).map_err(|e| refusal(setting, value, found.origin.clone(), &e));
        found.values.iter().map(read).collect()
    }

    /// Why a value that was found can't be used beside the others.
    pub(super) fn refuse(&self, key: &'static str, value: &str, expected: &str) -> ConfigError {
        let setting = setting(key).expect("the table has every key that is read");
        let origin = self.0.get(key).map_or(Origin::Default, |found| found.origin.clone());
        refusal(setting, value, origin, expected)
    }

    /// What holds, and why.
    pub(super) fn report(&self, settings: &Settings) -> Vec<Reported> {
        SETTINGS.iter().map(|setting| self.report_one(setting, settings)).collect()
    }

    fn report_one(&self, setting: &Setting, settings: &Settings) -> Reported {
        let found = self.0.get(setting.key);
        let value = match (setting.key, found, setting.unset) {
            ("database_url", ..) => quoted(&settings.database.to_string()),
            _ if setting.secret && found.is_some() => "(hidden)".to_owned(),
            (_, Some(found), _) if setting.many => {
                format!("[{}]", found.values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", "))
            }
            (_, Some(found), _) => found.values.iter().map(|value| quoted(value)).collect(),
            (_, None, Unset::Value(value)) => quoted(value),
            (_, None, Unset::Derived(words)) => format!("({words})"),
        };
        Reported { key: setting.key, value, origin: found.map_or(Origin::Default, |found| found.origin.clone()) }
    }
}

/// Turns text into a value, or says what it must be: "it must be …".
pub(super) type Reader<T> = fn(&str) -> Result<T, String>;

fn refusal(setting: &Setting, value: &str, origin: Origin, expected: &str) -> ConfigError {
    // A database URL holds a password, and a broken one can't be masked.
    let hidden = setting.secret || setting.key == "database_url";
    let value = if hidden { "a hidden value".to_owned() } else { quoted(value) };
    ConfigError::Value { key: setting.key, value, origin, expected: expected.to_owned() }
}

fn quoted(value: &str) -> String {
    format!("{value:?}")
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(if *truth { "on" } else { "off" }.to_owned()),
        _ => None,
    }
}

fn all_variables() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().flat_map(|setting| setting.variables.iter().copied())
}

/// Whether a variable is meant for us. Kubernetes sets some of its own in every container
/// next to a service called `chatport`.
fn is_ours(variable: &str) -> bool {
    let Some(rest) = variable.strip_prefix("CHATPORT_") else { return false };
    let kubernetes = ["PORT", "SERVICE_HOST", "SERVICE_PORT"].contains(&rest)
        || rest.starts_with("PORT_")
        || rest.starts_with("SERVICE_PORT_");
    !kubernetes
}

fn parse(file: &Path, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or(0, |span| span.start);
        ConfigError::Syntax {
            file: file.display().to_string(),
            line: 1 + text.bytes().take(before).filter(|byte| *byte == b'\n').count(),
            reason: error.message().replace('\n', " "),
        }
    })
}

fn read_file(file: &Path) -> io::Result<String> {
    fs::read_to_string(file)
}

fn read_if_present(file: &Path) -> Result<Option<String>, ConfigError> {
    match read_file(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn unreadable(file: &Path, error: &io::Error) -> ConfigError {
    ConfigError::Unreadable { file: file.display().to_string(), reason: error.to_string() }
}
