//! `COPY`, in both directions.

use candlewick_shared::core::candle::Candle;
use futures::TryStreamExt;
use sqlx::PgConnection;

use crate::binary::{self, Frame, HEADER, TRAILER};
use crate::difference::Difference;
use crate::failure::{DatabaseError, During};

/// How many bytes are encoded before they are sent: the server works on them while the next are encoded.
///
/// What is less goes in one piece. The connection has Nagle's algorithm on, so that a second small piece would wait for the
/// server's acknowledgement of the first, which may take 40 ms.
const CHUNK: usize = 256 * 1024;

/// Copies candles into a table; `to` is the table and its columns.
pub async fn candles_in(
    database: &mut PgConnection,
    to: &str,
    frame: &Frame,
    candles: &[Candle],
) -> Result<(), DatabaseError> {
    let statement = format!("copy {to} from stdin (format binary)");
    let mut copy = database.copy_in_raw(&statement).await.during("begin the copy")?;
    let mut rows = HEADER.to_vec();
    for candle in candles {
        frame.put(&mut rows, candle);
        if rows.len() >= CHUNK {
            copy.send(&rows[..]).await.during("copy candles")?;
            rows.clear();
        }
    }
    rows.extend(TRAILER);
    copy.send(&rows[..]).await.during("copy candles")?;
    copy.finish().await.during("end the copy").map(|_| ())
}

/// Copies rows that are encoded already.
pub async fn rows_in(database: &mut PgConnection, to: &str, rows: &[u8]) -> Result<(), DatabaseError> {
    let statement = format!("copy {to} from stdin (format binary)");
    let mut copy = database.copy_in_raw(&statement).await.during("begin the copy")?;
    // In one piece: see CHUNK.
    copy.send([HEADER, rows, TRAILER].concat()).await.during("copy candles")?;
    copy.finish().await.during("end the copy").map(|_| ())
}

/// Compares the rows that an object owns with the candles of its new version.
pub async fn difference<'a>(
    database: &mut PgConnection,
    object: i64,
    candles: &'a [Candle],
) -> Result<Difference<'a>, DatabaseError> {
    // COPY takes no parameters, and this number needs no quoting; the series is found by it.
    let statement = format!(
        "copy (select {} from candles
            where symbol = (select symbol from objects where id = {object})
                and interval = (select interval from objects where id = {object}) and object_id = {object}
            order by time) to stdout (format binary)",
        binary::COLUMNS
    );
    let mut difference = Difference::from(candles);
    let mut messages = database.copy_out_raw(&statement).await.during("begin to read candles")?;
    // A message of the server is a row: the protocol says so. Before the first goes the header.
    while let Some(message) = messages.try_next().await.during("read candles")? {
        let row = message.strip_prefix(HEADER).unwrap_or(&message);
        if row != TRAILER {
            difference.see(row);
        }
    }
    difference.end();
    Ok(difference)
}
