//! The command line of a service: `--help`, `healthcheck`, and its settings as options.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::core::topology::{Setting, Topology};
use crate::runtime::env::Env;
use crate::runtime::health_server::Probe;

/// What the command line asks a service to do.
#[derive(Debug)]
pub enum Task {
    /// Run the service. These settings take precedence over those of the environment.
    Serve(Env),
    /// Check the health of the running service.
    Check(Probe),
}

/// Reads the command line of a service.
///
/// # Errors
///
/// Returns an error for an argument that the service does not have. `--help` and `--version` are such errors too, with
/// exit code 0.
pub fn parse(service: &'static str, arguments: impl IntoIterator<Item = OsString>) -> Result<Task, clap::Error> {
    let matches = command(service).try_get_matches_from(arguments)?;
    if let Some(check) = matches.subcommand_matches("healthcheck") {
        return Ok(Task::Check(if check.get_flag("live") { Probe::Live } else { Probe::Ready }));
    }
    Ok(Task::Serve(options(service, &matches)))
}

fn command(service: &'static str) -> Command {
    let check = Command::new("healthcheck")
        .about("Check whether the service at HEALTH_LISTEN is ready; exits with 0 or 1")
        .arg(Arg::new("live").long("live").action(ArgAction::SetTrue).help("Check whether it is alive instead"));
    let settings = Topology::built_in().settings_of(service);
    let (secret, shown): (Vec<_>, Vec<_>) = settings.partition(|(_, setting)| setting.secret);
    Command::new(format!("candlewick-{service}"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(format!("The {service} service of Candlewick. Each option is also an environment variable"))
        .subcommand(check)
        .args(shown.into_iter().map(|(name, setting)| option(name, setting)))
        .after_help(secrets(&secret))
}

fn option(name: &'static str, setting: &'static Setting) -> Arg {
    let help = format!("{} [{name}, default: {}]", setting.help, setting.default).replace('`', "");
    Arg::new(name).long(name.to_ascii_lowercase().replace('_', "-")).value_name("value").help(help)
}

/// Secrets are not options, because every user of a machine can read the command lines of its processes.
fn secrets(settings: &[(&str, &Setting)]) -> String {
    let lines = settings.iter().map(|(name, setting)| format!("  {name}: {}\n", setting.help.replace('`', "")));
    format!("Secrets, from the environment only:\n{}", lines.collect::<String>())
}

fn options(service: &str, matches: &ArgMatches) -> Env {
    let names = Topology::built_in().settings_of(service).filter(|(_, setting)| !setting.secret);
    let given = names.filter_map(|(name, _)| Some((name.to_owned(), matches.get_one::<String>(name)?.clone())));
    Env::from_variables(given.collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn arguments(arguments: &[&str]) -> Vec<OsString> {
        std::iter::once("candlewick-loader").chain(arguments.iter().copied()).map(OsString::from).collect()
    }

    #[test]
    fn an_option_is_the_setting_of_its_name() {
        let Ok(Task::Serve(env)) = parse("loader", arguments(&["--concurrency", "3"])) else { panic!("it serves") };
        assert_eq!(env.optional("CONCURRENCY"), Some("3"));
        assert_eq!(env.optional("BUCKET"), None);
    }

    #[test]
    fn help_lists_every_setting_of_the_service_and_no_other() {
        let help = parse("loader", arguments(&["--help"])).unwrap_err().to_string();
        for name in ["CONCURRENCY", "BUCKET", "DATABASE_URL", "TRANSFORMED_QUEUE_URL"] {
            assert!(help.contains(name), "{help}");
        }
        assert!(!help.contains("ALERT_SMTP_URL") && !help.contains("--database-url"), "{help}");
    }

    #[test]
    fn an_unknown_option_is_refused_by_its_name() {
        let error = parse("loader", arguments(&["--concurency", "3"])).unwrap_err().to_string();
        assert!(error.contains("--concurency") && error.contains("--concurrency"), "{error}");
    }

    #[test]
    fn an_option_that_is_not_text_is_an_error_and_no_panic() {
        let mut arguments = arguments(&["--concurrency"]);
        arguments.push(OsString::from_vec(vec![b'3', 0xff]));
        let error = parse("loader", arguments).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (clap::error::ErrorKind::InvalidUtf8, 2));
    }

    #[test]
    fn a_health_check_asks_for_readiness_or_for_life() {
        assert!(matches!(parse("loader", arguments(&["healthcheck"])), Ok(Task::Check(Probe::Ready))));
        assert!(matches!(parse("loader", arguments(&["healthcheck", "--live"])), Ok(Task::Check(Probe::Live))));
    }
}
