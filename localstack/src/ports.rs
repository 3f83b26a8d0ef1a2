//! Chooses loopback ports: the requested one, the one of the last run if it is still free, or any free one.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// How to choose a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Any free port.
    Any,
    /// The port of the last run, so that addresses stay the same, or any free port if it is taken.
    Remembered(u16),
    /// Exactly this port.
    Demanded {
        port: u16,
        /// The setting that names the port, such as `--postgres-port` or `POSTGRES_PORT`.
        setting: String,
    },
}

/// No port could be bound.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another program listens on the requested port.
    #[error(
        "port {port} (requested by {setting}) is used by another program; stop that program, set {setting} to another port, \
         or leave it out to use any free port"
    )]
    Taken { port: u16, setting: String },
    /// The system refuses the requested port, for example because it needs privileges.
    #[error("cannot listen on port {port} (requested by {setting}): {source}; set {setting} to another port")]
    Refused { port: u16, setting: String, source: io::Error },
    /// The system has no free port.
    #[error("no free port on 127.0.0.1: {0}")]
    None(#[source] io::Error),
}

/// Picks distinct ports. Each stays bound until the picker is dropped, which should be just before the programs start.
#[derive(Debug, Default)]
pub struct Picker {
    listeners: Vec<TcpListener>,
}

impl Picker {
    pub fn new() -> Self {
        Self::default()
    }

    /// Picks a port and keeps it bound.
    pub fn pick(&mut self, wish: &Wish) -> Result<u16, PortError> {
        let listener = match wish {
            Wish::Any => bind(0).map_err(PortError::None)?,
            Wish::Remembered(port) => bind(*port).or_else(|_| bind(0)).map_err(PortError::None)?,
            Wish::Demanded { port, setting } => bind(*port).map_err(|error| bind_error(*port, setting, error))?,
        };
        let port = listener.local_addr().map_err(PortError::None)?.port();
        self.listeners.push(listener);
        Ok(port)
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn bind_error(port: u16, setting: &str, source: io::Error) -> PortError {
    let setting = setting.to_owned();
    match source.kind() {
        io::ErrorKind::AddrInUse => PortError::Taken { port, setting },
        _ => PortError::Refused { port, setting, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> (TcpListener, u16) {
        let listener = bind(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    #[test]
    fn a_remembered_port_is_kept_while_it_is_free() {
        let (listener, port) = taken();
        assert_ne!(Picker::new().pick(&Wish::Remembered(port)).unwrap(), port);
        drop(listener);
        assert_eq!(Picker::new().pick(&Wish::Remembered(port)).unwrap(), port);
    }

    #[test]
    fn a_demanded_port_that_is_taken_names_itself_and_its_setting() {
        let (_listener, port) = taken();
        let wish = Wish::Demanded { port, setting: "--postgres-port".into() };
        let error = Picker::new().pick(&wish).unwrap_err();
        assert!(matches!(error, PortError::Taken { .. }));
        let text = error.to_string();
        assert!(text.contains(&port.to_string()) && text.contains("--postgres-port"), "{text}");
    }

    #[test]
    fn ports_of_one_picker_differ() {
        let mut picker = Picker::new();
        let first = picker.pick(&Wish::Any).unwrap();
        assert_ne!(picker.pick(&Wish::Remembered(first)).unwrap(), first);
    }
}
