//! Reads the text of a watchlist from a file or S3, and replaces it atomically.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use candlewick_shared::adapters::calendar_files;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::core::calendar::calendars::Calendars;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::ports::store::{NewObject, ObjectStore, Put, PutIf};

use crate::place::Place;

pub struct Text {
    pub location: Location,
    pub content: String,
    /// For an object in S3: its bucket, and its ETag when it was read.
    object: Option<(S3Store, String)>,
}

pub async fn read(place: &Place, location: Location) -> anyhow::Result<Text> {
    let reading = || format!("read the watchlist {location}");
    match &location {
        Location::File(path) => {
            let content = std::fs::read_to_string(path).with_context(reading)?;
            Ok(Text { location, content, object: None })
        }
        Location::Object { bucket, key } => {
            let store = place.aws().await?.store(bucket);
            let object = store.get(key).await.with_context(reading)?;
            let object = object.with_context(|| format!("find {location}: there is no such object"))?;
            let content = String::from_utf8(object.body.to_vec()).with_context(reading)?;
            Ok(Text { location, content, object: Some((store, object.info.etag)) })
        }
    }
}

impl Text {
    /// The calendars that exist, with those of the owner next to the watchlist.
    pub async fn calendars(&self) -> anyhow::Result<Calendars> {
        let store = self.object.as_ref().map(|(store, _)| store as &dyn ObjectStore);
        Ok(calendar_files::read(&self.location, store, None).await?.calendars?)
    }

    /// Replaces the text. An object in S3 is replaced only if it has not changed since it was read.
    pub async fn replace(self, content: String) -> anyhow::Result<()> {
        let location = self.location;
        match (&location, self.object) {
            (Location::Object { key, .. }, Some((store, etag))) => {
                let object =
                    NewObject { body: content.into(), content_type: "application/toml", metadata: Metadata::new() };
                match store.put(key, object, PutIf::Matches(etag)).await? {
                    Put::Written { .. } => Ok(()),
                    Put::Changed => bail!("{location} was changed by someone else meanwhile: run the command again"),
                }
            }
            (Location::File(path), _) => replace_file(path, &content).with_context(|| format!("write {location}")),
            (Location::Object { .. }, None) => bail!("{location} was never read"),
        }
    }
}

/// Writes a temporary file and renames it, so that readers never see an incomplete file. Keeps the mode and symbolic
/// links.
fn replace_file(path: &Path, content: &str) -> anyhow::Result<()> {
    let path = path.canonicalize()?;
    let mut file = tempfile::NamedTempFile::new_in(path.parent().context("find its directory")?)?;
    file.write_all(content.as_bytes())?;
    file.as_file().set_permissions(path.metadata()?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let link = dir.path().join("link");
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace_file(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
