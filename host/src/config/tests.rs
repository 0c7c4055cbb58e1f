use std::{ffi::OsString, fs};

use super::*;

struct Shell {
    folder: tempfile::TempDir,
    environment: Vec<(OsString, OsString)>,
}

fn shell() -> Shell {
    Shell { folder: tempfile::tempdir().expect("a folder for the test"), environment: Vec::new() }
}

impl Shell {
    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
        self
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, line: &str) -> Result<Invocation, Stop> {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    fn run_words(&self, words: &[&str]) -> Result<Invocation, Stop> {
        Invocation::read(&Surroundings {
            arguments: std::iter::once("chatport").chain(words.iter().copied()).map(OsString::from).collect(),
            environment: self.environment.clone(),
            folder: self.folder.path().to_owned(),
            on_terminal: false,
        })
    }

    fn settings(&self, line: &str) -> Settings {
        self.run(line).expect("settings that can be used").settings
    }

    fn complaint(&self, line: &str) -> String {
        self.run(line).expect_err("settings that can't be used").to_string()
    }
}

#[test]
fn without_any_configuration_the_host_serves_on_loopback_with_sqlite() {
    let invocation = shell().run("").expect("the defaults can be used");
    let settings = invocation.settings;
    assert_eq!(invocation.command, Command::Serve);
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(settings.public_url_at(settings.listen).expect("an address").as_str(), "http://127.0.0.1:8000/");
    assert_eq!(settings.database.to_string(), "sqlite:./chatport-data/chatport.db");
    assert!(settings.wants_demo());
    assert_eq!(settings.min_free_disk, 512 * 1024 * 1024);
}

#[test]
fn a_host_that_others_can_reach_has_no_public_address_unless_it_is_told() {
    let settings = shell().settings("--listen 0.0.0.0:8000");
    assert_eq!(settings.public_url_at(settings.listen), None);
    assert!(!settings.wants_demo());
    let told = shell().settings("--listen 0.0.0.0:8000 --public-url https://chat.example.com/port/");
    assert_eq!(told.public_url_at(told.listen).expect("told").as_str(), "https://chat.example.com/port");
}

#[test]
fn a_host_behind_a_proxy_serves_others_though_it_listens_on_loopback() {
    for (flags, alone) in [
        ("", true),
        ("--public-url http://localhost:8000", true),
        ("--public-url http://chat.localhost", true),
        ("--public-url http://127.0.0.2", true),
        ("--public-url http://[::1]:8000", true),
        ("--public-url https://chat.example.com", false),
        ("--public-url https://localhost.example.com", false),
        ("--listen 0.0.0.0:8000 --public-url http://localhost:8000", false),
    ] {
        let settings = shell().settings(flags);
        assert_eq!((settings.serves_this_machine_alone(), settings.wants_demo()), (alone, alone), "{flags}");
    }
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file = shell().file("chatport.toml", "app_name = 'from the file'\nworkers = 3");
    assert_eq!(file.settings("").app_name, "from the file");
    let environment = file.variable("CHATPORT_APP_NAME", "from the environment");
    assert_eq!(environment.settings("").app_name, "from the environment");
    assert_eq!(environment.settings("serve --app-name flag").app_name, "flag");
    assert_eq!(environment.settings("--app-name flag serve").app_name, "flag");
    assert_eq!(environment.settings("").workers, 3);
}

#[test]
fn the_file_in_the_working_folder_wins_over_the_one_in_the_data_folder() {
    let shell = shell()
        .file("chatport.toml", "data = 'store'\nworkers = 1")
        .file("store/chatport.toml", "workers = 2\nbacklog = 5");
    let settings = shell.settings("");
    assert_eq!((settings.workers, settings.backlog), (1, 5));
}

#[test]
fn a_named_file_is_the_only_file() {
    let shell = shell().file("chatport.toml", "workers = 1").file("other.toml", "backlog = 5");
    let settings = shell.settings(&format!("--config {}", shell.path("other.toml")));
    assert_eq!((settings.workers, settings.backlog), (64, 5));
    let other = shell.path("other.toml");
    assert_eq!(shell.variable("CHATPORT_CONFIG", &other).settings("").backlog, 5);
}

#[test]
fn a_named_file_that_is_not_there_is_an_error() {
    assert!(shell().complaint("--config nowhere.toml").starts_with("can't read the configuration file nowhere.toml"));
}

#[test]
fn the_usual_names_of_address_and_database_are_understood_without_prefix() {
    let shell =
        shell().variable("DATABASE_URL", "postgres://u:p@db:5433/chat").variable("PUBLIC_URL", "https://a.example");
    assert_eq!(shell.settings("").database.to_string(), "postgres://db:5433/chat");
    assert_eq!(shell.settings("").public_url.expect("set").as_str(), "https://a.example/");
    let both = shell.variable("CHATPORT_PUBLIC_URL", "https://b.example");
    assert_eq!(both.settings("").public_url.expect("set").as_str(), "https://b.example/");
}

#[test]
fn an_unknown_key_is_an_error_that_names_key_file_and_nearest_key() {
    let shell = shell().file("chatport.toml", "publc_url = 'https://a.example'");
    let complaint = shell.complaint("");
    for part in ["`publc_url`", &shell.path("chatport.toml"), "`public_url`"] {
        assert!(complaint.contains(part), "{complaint}");
    }
}

#[test]
fn an_unknown_variable_is_an_error_that_names_the_nearest() {
    let complaint = shell().variable("CHATPORT_LISTN", "x").complaint("");
    assert!(complaint.contains("CHATPORT_LISTN") && complaint.contains("did you mean CHATPORT_LISTEN?"), "{complaint}");
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_are_not_ours() {
    let shell = shell()
        .variable("CHATPORT_PORT", "tcp://10.0.0.1:80")
        .variable("CHATPORT_PORT_80_TCP_ADDR", "10.0.0.1")
        .variable("CHATPORT_SERVICE_HOST", "10.0.0.1")
        .variable("CHATPORT_SERVICE_PORT_HTTP", "80");
    assert_eq!(shell.settings("").workers, 64);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(shell().variable("CHATPORT_APP_NAME", "").settings("").app_name, "Chatport");
}

#[test]
fn a_value_that_is_not_allowed_is_one_line_that_says_who_set_it_and_what_it_must_be() {
    let complaint = shell().variable("CHATPORT_LISTEN", "8000").complaint("");
    assert_eq!(
        complaint,
        "listen is set to \"8000\" by CHATPORT_LISTEN, but it must be an IP address and a port, such as \
         127.0.0.1:8000 or [::]:8000"
    );
    let wrong = [
        "--public-url ftp://a.example",
        "--public-url https://a.example/?x=1",
        "--log-format xml",
        "--demo maybe",
        "--workers 0",
        "--min-free-disk lots",
        "--rates chat=3",
        "--trusted-proxies proxy",
        "--database-url mysql://a/b",
        "--database-url sqlite::memory:",
        "--log inf=o=o",
    ];
    for line in wrong {
        let complaint = shell().complaint(line);
        assert!(complaint.contains("but it must be") && !complaint.contains('\n'), "{line}: {complaint}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_an_error_with_the_line() {
    let complaint = shell().file("chatport.toml", "workers = 1\nlisten =").complaint("");
    assert!(complaint.contains("chatport.toml, line 2: ") && !complaint.contains('\n'), "{complaint}");
}

#[test]
fn lists_come_from_repeated_flags_from_commas_and_from_toml_lists() {
    let expected = ["a 10.0.0.1/32 443", "b"];
    let by_file = shell().file("chatport.toml", "allow_networks = ['a 10.0.0.1/32 443', 'b']");
    assert_eq!(by_file.settings("").allow_networks, expected);
    let by_variable = shell().variable("CHATPORT_ALLOW_NETWORKS", "a 10.0.0.1/32 443, b");
    assert_eq!(by_variable.settings("").allow_networks, expected);
    let by_flags = shell().run_words(&["--allow-networks", "a 10.0.0.1/32 443", "--allow-networks", "b"]);
    assert_eq!(by_flags.expect("two grants").settings.allow_networks, expected);
}

#[test]
fn a_rate_can_be_overridden() {
    let rates = shell().settings("--rates chat.default=2.5/40").rates;
    let expected = RateOverride { backend: "chat".into(), rate: "default".into(), per_second: 2.5, burst: 40 };
    assert_eq!(rates, [expected]);
}

#[test]
fn the_data_folder_cannot_move_itself() {
    let shell = shell().file("chatport-data/chatport.toml", "data = 'elsewhere'");
    assert!(shell.complaint("").contains("`data` can't be set in this file"));
}

#[test]
fn the_key_ring_is_taken_from_the_environment_alone() {
    let shell = shell();
    assert!(shell.run("--keyring x").is_err());
    let in_file = shell.file("chatport.toml", "keyring = 'x'");
    assert!(in_file.complaint("").contains("from the environment alone"));
}

const REMOTE_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_remote_backend_has_an_id_an_address_and_its_secrets_from_the_environment() {
    let two = format!("pager={REMOTE_SECRET} {REMOTE_SECRET}, other={REMOTE_SECRET}");
    let shell = shell().variable("CHATPORT_REMOTE_SECRETS", &two);
    let remotes = shell.settings("--remote-backends pager=http://127.0.0.1:9000").remote_backends;
    assert_eq!((remotes[0].id.as_str(), remotes[0].url.as_str()), ("pager", "http://127.0.0.1:9000/"));
    assert_eq!((remotes.len(), remotes[0].secrets.len()), (1, 2));
    let twice = "--remote-backends pager=http://127.0.0.1:1 --remote-backends pager=http://127.0.0.1:2";
    for (line, words) in [
        ("--remote-backends stranger=http://127.0.0.1:9000", "must have a secret"),
        ("--remote-backends pager", "ID=URL"),
        ("--remote-backends P/=http://127.0.0.1", "ID=URL"),
        ("--remote-backends pager=ftp://127.0.0.1", "ID=URL"),
        (twice, "once"),
    ] {
        let complaint = shell.complaint(line);
        assert!(complaint.contains(words) && !complaint.contains('\n'), "{line}: {complaint}");
    }
}

#[test]
fn a_guessable_secret_of_a_remote_backend_is_refused_and_not_shown() {
    for weak in ["pager=canary", "pager=whsec_Y2FuYXJ5", "pager=", "canary"] {
        let complaint = shell().variable("CHATPORT_REMOTE_SECRETS", weak).complaint("");
        assert!(complaint.contains("at least 24 bytes") && !complaint.contains("canary"), "{complaint}");
    }
}

#[test]
fn no_secret_is_printed() {
    let shell = shell()
        .variable("DATABASE_URL", "postgres://user:canary1@db/chat?password=canary2")
        .variable("CHATPORT_KEYRING", "canary3");
    let invocation = shell.run("config").expect("settings");
    let report: String = invocation.report.iter().map(|line| format!("{line}\n")).collect();
    assert!(report.contains("database_url = \"postgres://db/chat\"  # DATABASE_URL"), "{report}");
    let broken = shell.variable("CHATPORT_DATABASE_URL", "pg://user:canary4@db").complaint("");
    for text in [report, format!("{invocation:?}"), broken] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn the_report_says_where_each_value_comes_from() {
    let shell = shell().file("chatport.toml", "workers = 3").variable("CHATPORT_LOG", "warn");
    let report = shell.run("config --demo off").expect("settings").report;
    let line = |key: &str| report.iter().find(|line| line.key == key).expect("every setting is there").to_string();
    assert_eq!(line("demo"), "demo = \"off\"  # --demo");
    assert_eq!(line("log"), "log = \"warn\"  # CHATPORT_LOG");
    assert_eq!(line("workers"), format!("workers = \"3\"  # {}", shell.path("chatport.toml")));
    assert_eq!(line("listen"), "listen = \"127.0.0.1:8000\"  # default");
    assert_eq!(line("keyring"), "keyring = (a file in DATA, made at the first start)  # default");
}

#[test]
fn help_names_every_setting_with_its_variable() {
    let help = shell().run("--help").expect_err("help ends the program").to_string();
    for setting in table::SETTINGS {
        assert!(help.contains(setting.variables[0]), "{} is missing from the help", setting.key);
    }
    assert!(help.contains("--shutdown-grace <SECONDS>"));
}

#[test]
fn a_key_can_be_made_for_one_organization() {
    let invocation = shell().run("api-key create --name CI --scope send,link --organization acme").expect("a command");
    let expected = CreateApiKey {
        name: "CI".into(),
        scopes: vec!["send".into(), "link".into()],
        organization: Some("acme".into()),
        days: 365,
    };
    assert_eq!(invocation.command, Command::ApiKey(ApiKeyCommand::Create(expected)));
}

#[test]
fn settings_of_a_program_without_configuration_are_those_without_configuration() {
    assert_eq!(format!("{:?}", Settings::default()), format!("{:?}", shell().settings("")));
}
