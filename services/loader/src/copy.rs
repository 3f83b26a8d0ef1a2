//! `COPY` to and from the server.

use candlewick_shared::core::candle::Candle;
use futures::TryStreamExt;
use sqlx::PgConnection;

use crate::binary::{self, Frame, HEADER, TRAILER};
use crate::difference::Difference;
use crate::failure::{DatabaseError, DbContext};

/// How many bytes are encoded before they are sent, so that the server works on them while the next ones are encoded.
///
/// Less than that is sent in one piece: with Nagle's algorithm on, a second small piece would wait for the acknowledgement of
/// the first, which may take 40 ms.
const CHUNK: usize = 256 * 1024;

/// Copies candles into `to`, a table with its columns.
pub async fn candles_in(
    database: &mut PgConnection,
    to: &str,
    frame: &Frame,
    candles: &[Candle],
) -> Result<(), DatabaseError> {
    let statement = format!("copy {to} from stdin (format binary)");
    let mut copy = database.copy_in_raw(&statement).await.db_context("begin the copy")?;
    let mut rows = HEADER.to_vec();
    for candle in candles {
        frame.put(&mut rows, candle);
        if rows.len() >= CHUNK {
            copy.send(&rows[..]).await.db_context("copy candles")?;
            rows.clear();
        }
    }
    rows.extend(TRAILER);
    copy.send(&rows[..]).await.db_context("copy candles")?;
    copy.finish().await.db_context("end the copy").map(|_| ())
}

/// Copies rows that are already encoded.
pub async fn rows_in(database: &mut PgConnection, to: &str, rows: &[u8]) -> Result<(), DatabaseError> {
    let statement = format!("copy {to} from stdin (format binary)");
    let mut copy = database.copy_in_raw(&statement).await.db_context("begin the copy")?;
    // One piece: see CHUNK.
    copy.send([HEADER, rows, TRAILER].concat()).await.db_context("copy candles")?;
    copy.finish().await.db_context("end the copy").map(|_| ())
}

/// Compares an object's rows with the candles of its new version.
pub async fn difference<'a>(
    database: &mut PgConnection,
    object: i64,
    candles: &'a [Candle],
) -> Result<Difference<'a>, DatabaseError> {
    // COPY takes no parameters. The id is a number and needs no quoting.
    let statement = format!(
        "copy (select {} from candles
            where symbol = (select symbol from objects where id = {object})
                and interval = (select interval from objects where id = {object}) and object_id = {object}
            order by time) to stdout (format binary)",
        binary::COLUMNS
    );
    let mut difference = Difference::from(candles);
    let mut messages = database.copy_out_raw(&statement).await.db_context("begin to read candles")?;
    // By the protocol each message is one row; the header precedes the first.
    while let Some(message) = messages.try_next().await.db_context("read candles")? {
        let row = message.strip_prefix(HEADER).unwrap_or(&message);
        if row != TRAILER {
            difference.add_row(row);
        }
    }
    difference.end();
    Ok(difference)
}
