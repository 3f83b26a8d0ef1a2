use std::fs;

use candlewick_localstack::progress::silent;
use candlewick_localstack::python::{self, PythonError, Requirements, Search};

use crate::support::{all, heard};

/// Nothing to install: what is tested is around it. Preparation leaves one line for each time that it ran.
const EMPTY: Requirements = Requirements {
    title: "nothing",
    size: "0 MB",
    locks: &[""],
    prepare: Some("import sys; open(sys.prefix + '/../prepared', 'a').write('once\\n')"),
    otherwise: "",
};

#[tokio::test]
async fn an_environment_is_made_once_even_when_two_race_and_again_when_it_was_cut_short() {
    let home = tempfile::tempdir().unwrap();
    let search = Search::from_env();
    let (progress, lines) = heard();
    let ensure = || python::ensure(home.path(), &EMPTY, &search, &progress);
    let (first, second) = tokio::join!(ensure(), ensure());
    let environment = first.unwrap();
    assert_eq!(environment, second.unwrap());
    let prepared = || fs::read_to_string(home.path().join("prepared")).unwrap().lines().count();
    assert_eq!(prepared(), 1);
    assert!(all(lines).contains("waiting for another process"));

    fs::remove_file(environment.dir().join("complete")).unwrap();
    python::ensure(home.path(), &EMPTY, &search, &silent()).await.unwrap();
    assert_eq!(prepared(), 2);
}

#[tokio::test]
async fn without_python_the_error_says_what_to_install() {
    let home = tempfile::tempdir().unwrap();
    let error = python::ensure(home.path(), &EMPTY, &Search::default(), &silent()).await.unwrap_err();
    assert!(matches!(error, PythonError::Missing { .. }));
    assert!(error.to_string().contains("Candlewick needs Python 3.11 or newer on PATH"), "{error}");
}

#[tokio::test]
async fn a_requirement_without_a_hash_is_refused_and_the_error_leads_to_the_log() {
    let home = tempfile::tempdir().unwrap();
    let loose = Requirements { title: "loose", locks: &["six==1.17.0\n"], ..EMPTY };
    let error = python::ensure(home.path(), &loose, &Search::from_env(), &silent()).await.unwrap_err();
    let PythonError::Step { log, .. } = &error else { panic!("{error}") };
    assert!(fs::read_to_string(log).unwrap().contains("Hashes are required"), "{error}");
    let text = error.to_string();
    assert!(text.contains("could not install loose") && text.contains("Hashes are required"), "{text}");
    assert!(text.contains("pip config list") && text.contains(&log.display().to_string()), "{text}");
}
