//! Free loopback ports: the one from the last run if it is free, any free one otherwise, or exactly the one demanded.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Which port is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Any free port.
    Any,
    /// The port of the last run, so that addresses stay the same; another if it is taken.
    Remembered(u16),
    /// Exactly this port, because the user's `setting` names it.
    Demanded {
        port: u16,
        /// What asked for it, such as `--postgres-port` or `POSTGRES_PORT`.
        setting: String,
    },
}

/// Why no port could be had.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The user named a port that another program listens on.
    #[error(
        "port {port} (asked for by {setting}) is taken by another program; stop that program, or set {setting} to \
         another port or leave it out to have a free one chosen"
    )]
    Taken {
        port: u16,
        /// The setting that named it.
        setting: String,
    },
    /// The user named a port that this user may not listen on.
    #[error("port {port} (asked for by {setting}) cannot be listened on: {source}; set {setting} to another port")]
    Refused {
        port: u16,
        /// The setting that named it.
        setting: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives out no port at all.
    #[error("no free port on 127.0.0.1: {0}")]
    None(#[source] io::Error),
}

/// Picks ports that differ from one another: each stays bound until the picker is dropped, just before programs start.
#[derive(Debug, Default)]
pub struct Picker {
    held: Vec<TcpListener>,
}

impl Picker {
    /// A picker that holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Picks a port and holds it.
    pub fn pick(&mut self, wish: &Wish) -> Result<u16, PortError> {
        let listener = match wish {
            Wish::Any => bind(0).map_err(PortError::None)?,
            Wish::Remembered(port) => bind(*port).or_else(|_| bind(0)).map_err(PortError::None)?,
            Wish::Demanded { port, setting } => bind(*port).map_err(|error| refuse(*port, setting, error))?,
        };
        let port = listener.local_addr().map_err(PortError::None)?.port();
        self.held.push(listener);
        Ok(port)
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn refuse(port: u16, setting: &str, source: io::Error) -> PortError {
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
