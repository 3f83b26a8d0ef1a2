//! Writes an export.

use std::path::{Path, PathBuf};

use anyhow::Context;
use candlewick_shared::core::key::Series;
use futures::TryStreamExt;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};

use super::encoding::Encoding;
use super::progress::Progress;
use super::rows::{self, Range};

/// A file or a pipe that candles are written to.
pub struct Output<W> {
    target: BufWriter<W>,
    encoding: Encoding,
    progress: Progress,
    bytes: usize,
}

impl<W: AsyncWrite + Unpin> Output<W> {
    pub fn new(target: W, encoding: Encoding, progress: Progress) -> Self {
        Self { target: BufWriter::new(target), encoding, progress, bytes: 0 }
    }

    /// Writes all series, one after the other, as they are at one time. Returns the number of bytes.
    pub async fn write_all(mut self, pool: &PgPool, series: &[Series], range: &Range) -> anyhow::Result<usize> {
        let mut database = pool.acquire().await.context("connect to the database")?;
        let snapshot = "begin isolation level repeatable read read only";
        let mut transaction = database.begin_with(snapshot).await.context("begin a transaction")?;
        for (at, series) in series.iter().enumerate() {
            self.write(&mut transaction, series, range).await?;
            self.progress.end_series(series, at + 1);
        }
        let end = self.encoding.finish()?;
        self.target.write_all(&end).await.context("write candles")?;
        self.target.flush().await.context("write candles")?;
        Ok(self.bytes + end.len())
    }

    async fn write(&mut self, database: &mut PgConnection, series: &Series, range: &Range) -> anyhow::Result<()> {
        let mut chunks = rows::read(database, series, range).await?;
        while let Some(chunk) = chunks.try_next().await.context("read candles")? {
            let bytes = self.encoding.add(series, &chunk)?;
            self.put(&bytes).await?;
            self.progress.add_rows(series, &chunk);
        }
        let bytes = self.encoding.end_series(series)?;
        self.put(&bytes).await
    }

    async fn put(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.bytes += bytes.len();
        self.target.write_all(bytes).await.context("write candles")
    }
}

/// A file that is being written next to its target, and renamed at the end, so that readers never see an incomplete
/// file.
pub struct Part {
    part: PathBuf,
    file: PathBuf,
}

impl Part {
    pub async fn create(file: &Path) -> anyhow::Result<Self> {
        let folder = file.parent().unwrap_or(Path::new("."));
        tokio::fs::create_dir_all(folder).await.with_context(|| format!("create {}", folder.display()))?;
        let mut part = file.as_os_str().to_owned();
        part.push(".part");
        Ok(Self { part: part.into(), file: file.to_owned() })
    }

    pub async fn open(&self) -> anyhow::Result<File> {
        File::create(&self.part).await.with_context(|| format!("create {}", self.part.display()))
    }

    pub async fn complete(self) -> anyhow::Result<()> {
        tokio::fs::rename(&self.part, &self.file).await.with_context(|| format!("write {}", self.file.display()))
    }
}
