//! The binary as a process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candlewick-simulator"));
    command.args(arguments).env_remove("CLOCK").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The address in the line that says that it is ready.
fn address(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
    line.trim().rsplit_once("http://").unwrap().1.to_owned()
}

fn failure(arguments: &[&str]) -> String {
    let output = start(arguments).wait_with_output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn signals_stop_it_with_success() {
    for signal in ["-TERM", "-INT"] {
        let mut process = start(&["--listen", "127.0.0.1:0"]);
        address(&mut process);
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        assert_eq!(process.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_taken_port_is_said_plainly() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let words =
        format!("port {} is in use: stop the program that uses it or choose another with --listen", address.port());
    assert!(failure(&["--listen", &address.to_string()]).contains(&words));
}

#[test]
fn settings_that_cannot_be_meant_stop_it_at_the_start() {
    assert!(failure(&["--faults", "fire:0.1"]).contains("fault fire:0.1"));
    assert!(failure(&["--defects", "MSFT"]).contains("expected SYMBOL=KIND"));
    assert!(failure(&["--plan", "gold"]).contains("expected free, grow, pro or unlimited"));
}

#[test]
fn a_malformed_clock_stops_it_at_the_start() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candlewick-simulator"));
    let output = command.args(["--listen", "127.0.0.1:0"]).env("CLOCK", "soon").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("CLOCK is \"soon\""));
}
