//! The user that the server runs as, and a directory that this user can access.
//!
//! PostgreSQL refuses to run as root. If root starts it, it runs as `postgres` or `nobody`. If that user cannot enter the state
//! directory (for example in a clone under /root), the data is under /var/tmp, and the state directory has a link to it.

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

/// Chooses the user to run as: `None`, that is the current one, unless it is root. Root uses the owner of existing data, or an
/// unprivileged user if there is none.
pub(super) fn choose(state: &StateDir) -> anyhow::Result<Option<Identity>> {
    let home = state.root().join("postgres");
    let owner = fs::metadata(&home).ok().map(|found| (found.uid(), found.gid()));
    match (geteuid().is_root(), owner) {
        (true, Some((uid, gid))) if uid != 0 => Ok(Some(Identity { name: user_name(uid), uid, gid })),
        (true, _) => unprivileged().map(Some),
        (false, Some((uid, _))) if uid != geteuid().as_raw() => bail!(
            "{} belongs to user {}, because an earlier run as root created it; run as root again, or use another state directory",
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
    bail!("PostgreSQL refuses to run as root, and neither user postgres nor nobody exists; run as an ordinary user")
}

fn user_name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// A server program, run as the given user and without PGDATA, PGHOST and similar variables.
pub(super) fn program(name: &str, path: &Path, identity: Option<&Identity>) -> Program {
    Program::new(name, path).clean_env().dir("/").run_as(identity.cloned())
}

/// Returns whether the user can run a program. Its file or a parent directory may not be accessible.
pub(super) async fn can_run(path: &Path, identity: Option<&Identity>) -> bool {
    succeeds(program("probe", path, identity).args(["--version"])).await
}

/// Returns the directory for the server's files, which only its user can access. Creates it if it does not exist.
pub(super) async fn ensure_home(
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
    let relocated = ensure_var_tmp_dir(state)?.join("postgres");
    report_relocation(&relocated, state, identity, progress);
    private_dir(&relocated, identity)?;
    fs::remove_dir(&home).with_context(|| format!("replace {} by a link", home.display()))?;
    symlink(&relocated, &home).with_context(|| format!("link {} to {}", home.display(), relocated.display()))?;
    Ok(relocated)
}

/// If /var/tmp was emptied, the link is dead and the data is created again.
fn remove_dead_link(home: &Path) -> anyhow::Result<()> {
    if home.is_symlink() {
        fs::remove_file(home).with_context(|| format!("remove dead link {}", home.display()))?;
    }
    Ok(())
}

/// Returns the directory under /var/tmp for this state directory. It belongs to root, and all users can enter it.
pub(super) fn ensure_var_tmp_dir(state: &StateDir) -> anyhow::Result<PathBuf> {
    let name = short_hex(&Sha256::digest(state.root().as_os_str().as_encoded_bytes()));
    let dir = Path::new("/var/tmp").join(format!("candlewick-{name}"));
    make_dir(&dir, 0o711)?;
    // Everyone can write to /var/tmp, so another user may have created a directory or link of that name.
    let found = fs::symlink_metadata(&dir).with_context(|| format!("inspect {}", dir.display()))?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        bail!("{} is not a directory of the current user; remove it, or move the state directory", dir.display());
    }
    // The umask may have removed the permission of others to enter.
    fs::set_permissions(&dir, Permissions::from_mode(0o711))
        .with_context(|| format!("set the permissions of {}", dir.display()))?;
    Ok(dir)
}

fn report_relocation(relocated: &Path, state: &StateDir, identity: Option<&Identity>, progress: &Reporter) {
    let user = identity.map_or("", |identity| identity.name.as_str());
    let root = state.root().display();
    let text = format!("user {user} cannot enter {root}, so the data is in {} (linked)", relocated.display());
    progress.line("postgres", &text);
}

/// Makes the user the owner of a file or directory.
pub(super) fn set_owner(path: &Path, identity: Option<&Identity>) -> anyhow::Result<()> {
    let Some(Identity { name, uid, gid }) = identity else { return Ok(()) };
    chown(path, Some(*uid), Some(*gid)).with_context(|| format!("make {name} the owner of {}", path.display()))
}

fn private_dir(path: &Path, identity: Option<&Identity>) -> anyhow::Result<()> {
    make_dir(path, 0o700)?;
    set_owner(path, identity)
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
