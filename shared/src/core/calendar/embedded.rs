//! The calendars that are compiled into the program, by market code.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use super::Calendar;
use super::definition::Definition;
use super::error::InvalidCalendar;

/// The only place that knows the path of the data.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(File { name: $name, text: include_str!(concat!("../../../calendars/", $name)), calendar: OnceLock::new() }),*]
    };
}

/// A file of a calendar. It is parsed when its calendar is first used.
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    calendar: OnceLock<Result<Calendar, InvalidCalendar>>,
}

/// In the order of the names.
#[rustfmt::skip]
pub(super) static FILES: [File; 73] = files![
    "24-5.toml", "24-7.toml", "AIXK.toml", "ASEX.toml", "BVMF.toml", "CMES.toml", "IEPA.toml", "XAMS.toml",
    "XASX.toml", "XBDA.toml", "XBEL.toml", "XBKK.toml", "XBOG.toml", "XBOM.toml", "XBRA.toml", "XBRU.toml",
    "XBSE.toml", "XBUD.toml", "XBUE.toml", "XCBF.toml", "XCSE.toml", "XCYS.toml", "XDUB.toml", "XDUS.toml",
    "XEEE.toml", "XETR.toml", "XEUR.toml", "XFRA.toml", "XHAM.toml", "XHEL.toml", "XHKG.toml", "XICE.toml",
    "XIDX.toml", "XIST.toml", "XJSE.toml", "XKAR.toml", "XKLS.toml", "XKRX.toml", "XLIM.toml", "XLIS.toml",
    "XLIT.toml", "XLJU.toml", "XLON.toml", "XLUX.toml", "XMAD.toml", "XMEX.toml", "XMIL.toml", "XMOS.toml",
    "XNYS.toml", "XNZE.toml", "XOSL.toml", "XPAR.toml", "XPHS.toml", "XPRA.toml", "XRIS.toml", "XSAU.toml",
    "XSES.toml", "XSGO.toml", "XSHG.toml", "XSTO.toml", "XSTU.toml", "XSWX.toml", "XTAE.toml", "XTAI.toml",
    "XTAL.toml", "XTKS.toml", "XTSE.toml", "XWAR.toml", "XWBO.toml", "XZAG.toml", "forex.toml", "metals.toml",
    "us_futures.toml",
];

/// The calendar's code of every code: those of segments and of markets with the same sessions too.
const CODES: &str = include_str!("../../../calendars/codes.toml");

static BY_CODE: LazyLock<Result<BTreeMap<String, String>, InvalidCalendar>> =
    LazyLock::new(|| toml::from_str(CODES).map_err(|error| InvalidCalendar::new("codes.toml", error)));

/// The code of the calendar that serves a code.
pub(super) fn served_by(code: &str) -> Result<Option<&'static str>, InvalidCalendar> {
    let by_code = BY_CODE.as_ref().map_err(Clone::clone)?;
    Ok(by_code.get(code).map(String::as_str))
}

impl Calendar {
    /// Finds the calendar of a market by its MIC or the MIC of a segment (`XNYS`, `XNGS`), or by another name of a
    /// calendar: `forex`, `metals`, `24/7` and `24/5`.
    ///
    /// `Ok(None)` means that the market is unknown, so nothing can be said about its sessions. The first call for a
    /// market parses its file and expands its sessions (milliseconds), and later calls are a lookup.
    ///
    /// # Errors
    ///
    /// Fails if an embedded file is invalid, which a test rules out.
    pub fn for_mic(mic: &str) -> Result<Option<&'static Self>, InvalidCalendar> {
        find(mic)
    }

    /// The codes of all embedded calendars in ascending order, without those of the segments that they serve.
    ///
    /// # Errors
    ///
    /// Fails if an embedded file is invalid, which a test rules out.
    pub fn codes() -> Result<impl Iterator<Item = &'static str>, InvalidCalendar> {
        let by_code = BY_CODE.as_ref().map_err(Clone::clone)?;
        Ok(by_code.iter().filter(|(code, calendar)| code == calendar).map(|(code, _)| code.as_str()))
    }
}

pub(super) fn find(code: &str) -> Result<Option<&'static Calendar>, InvalidCalendar> {
    let Some(code) = served_by(code)? else { return Ok(None) };
    let name = format!("{}.toml", code.replace('/', "-"));
    match FILES.binary_search_by_key(&name.as_str(), |file| file.name) {
        Ok(at) => FILES.get(at).map(File::calendar).transpose(),
        Err(_) => Err(InvalidCalendar::new(&name, "it is not compiled in")),
    }
}

impl File {
    fn calendar(&self) -> Result<&Calendar, InvalidCalendar> {
        let read = || Calendar::new(&Definition::parse(self.name, self.text)?);
        self.calendar.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}
