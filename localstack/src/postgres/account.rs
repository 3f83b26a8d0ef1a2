//! The user that the server runs as, and the place where that user can work.
//!
//! PostgreSQL refuses to run as root. Started by root, it runs as `postgres` or `nobody`, who may not be able to enter the
//! state directory (a clone under /root, say): its data then lies under /var/tmp, and the state directory links to it.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use nix::unistd::{Uid, User, geteuid};
use sha2::{Digest, Sha256};

use crate::process::{Identity, Program};
use crate::progress::Reporter;
use crate::python::short_hex;
use crate::state::StateDir;

/// The user to run as: `None` when we are an ordinary user, else the owner of the data, else an unprivileged one.
pub(super) fn choose(state: &StateDir) -> anyhow::Result<Option<Identity>> {
    let home = state.root().join("postgres");
    let owner = fs::metadata(&home).ok().map(|found| (found.uid(), found.gid()));
    match (geteuid().is_root(), owner) {
        (true, Some((uid, gid))) if uid != 0 => Ok(Some(Identity { name: user_name(uid), uid, gid })),
        (true, _) => unprivileged().map(Some),
        (false, Some((uid, _))) if uid != geteuid().as_raw() => bail!(
            "{} belongs to user {}, because an earlier run as root made it; run as root again, or use another state directory",
            home.display(),
            user_name(uid)
        ),
        (false, _) => Ok(None),
    }
}

fn unprivileged() -> anyhow::Result<Identity> {
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).with_context(|| format!("look up user {name}"))? {
            return Ok(Identity { name: name.to_owned(), uid: user.uid.as_raw(), gid: user.gid.as_raw() });
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody; run as an ordinary user")
}

fn user_name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// A program of the server's that runs as the server does: as that user, and free of PGDATA, PGHOST and their like.
pub(super) fn program(name: &str, path: &Path, identity: Option<&Identity>) -> Program {
    Program::new(name, path).clean_env().dir("/").run_as(identity.cloned())
}

/// Whether that user can run a program; some directory above it may be closed to others.
pub(super) async fn can_run(path: &Path, identity: Option<&Identity>) -> bool {
    succeeds(program("probe", path, identity).args(["--version"])).await
}

/// The directory of all that the server keeps, made for its user and open to nobody else.
pub(super) async fn home(
    state: &StateDir,
    identity: Option<&Identity>,
    progress: &Reporter,
) -> anyhow::Result<PathBuf> {
    let home = state.root().join("postgres");
    if let Ok(known) = home.canonicalize() {
        return Ok(known);
    }
    remove_dead_link(&home)?;
    private_dir(&home, identity)?;
    if can_enter(&home, identity).await {
        return Ok(home);
    }
    let elsewhere = outside(state)?.join("postgres");
    tell(&elsewhere, state, identity, progress);
    private_dir(&elsewhere, identity)?;
    fs::remove_dir(&home).with_context(|| format!("make way for a link at {}", home.display()))?;
    symlink(&elsewhere, &home).with_context(|| format!("link {} to {}", home.display(), elsewhere.display()))?;
    Ok(elsewhere)
}

/// /var/tmp may have been emptied: the link then leads nowhere, and the data is made anew.
fn remove_dead_link(home: &Path) -> anyhow::Result<()> {
    if home.is_symlink() {
        fs::remove_file(home).with_context(|| format!("remove dead link {}", home.display()))?;
    }
    Ok(())
}

/// A directory of root's under /var/tmp that everyone can pass through, one for each state directory.
pub(super) fn outside(state: &StateDir) -> anyhow::Result<PathBuf> {
    let name = short_hex(&Sha256::digest(state.root().as_os_str().as_encoded_bytes()));
    let dir = Path::new("/var/tmp").join(format!("candlewick-{name}"));
    make_dir(&dir, 0o711)?;
    // /var/tmp is everyone's: somebody else may have put a directory or a link of that name there.
    let found = fs::symlink_metadata(&dir).with_context(|| format!("look at {}", dir.display()))?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        bail!("{} belongs to somebody else; remove it, or move the state directory", dir.display());
    }
    // The umask may have taken the others' right to pass.
    fs::set_permissions(&dir, Permissions::from_mode(0o711)).with_context(|| format!("open {}", dir.display()))?;
    Ok(dir)
}

fn tell(elsewhere: &Path, state: &StateDir, identity: Option<&Identity>, progress: &Reporter) {
    let user = identity.map_or("", |identity| identity.name.as_str());
    let root = state.root().display();
    let text = format!("user {user} cannot enter {root}, so the data lies in {} (linked)", elsewhere.display());
    progress.line("postgres", &text);
}

/// Gives a file or directory to that user.
pub(super) fn give(path: &Path, identity: Option<&Identity>) -> anyhow::Result<()> {
    let Some(Identity { name, uid, gid }) = identity else { return Ok(()) };
    chown(path, Some(*uid), Some(*gid)).with_context(|| format!("give {} to {name}", path.display()))
}

fn private_dir(path: &Path, identity: Option<&Identity>) -> anyhow::Result<()> {
    make_dir(path, 0o700)?;
    give(path, identity)
}

fn make_dir(path: &Path, mode: u32) -> anyhow::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("create {}", path.display()))
        }
        _ => Ok(()),
    }
}

async fn can_enter(dir: &Path, identity: Option<&Identity>) -> bool {
    let shell = program("probe", Path::new("/bin/sh"), identity);
    succeeds(shell.args(["-c", "cd \"$0\" && test -w ."]).args([dir])).await
}

async fn succeeds(program: Program) -> bool {
    let mut command = tokio::process::Command::from(program.to_command());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}
