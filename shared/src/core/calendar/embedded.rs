//! The calendars that are compiled into the program, by market code.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use super::Calendar;
use super::definition::Definition;
use super::error::InvalidCalendar;

/// The only place that knows the path of the data.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../calendars/", $name)))),*]
    };
}

pub(super) static FILES: [(&str, &str); 18] = files![
    "24-5.toml",
    "24-7.toml",
    "BVMF.toml",
    "XAMS.toml",
    "XASX.toml",
    "XBOM.toml",
    "XETR.toml",
    "XHKG.toml",
    "XLON.toml",
    "XMAD.toml",
    "XMIL.toml",
    "XNYS.toml",
    "XPAR.toml",
    "XSHG.toml",
    "XSWX.toml",
    "XTKS.toml",
    "XTSE.toml",
    "forex.toml",
];

/// All files are parsed on first use, because each file lists the codes that it serves. The sessions of a market are
/// only expanded when its calendar is requested.
static MARKETS: LazyLock<Result<Markets, InvalidCalendar>> = LazyLock::new(Markets::read);

struct Markets {
    markets: Vec<Market>,
    by_code: BTreeMap<String, usize>,
}

struct Market {
    definition: Definition,
    calendar: OnceLock<Result<Calendar, InvalidCalendar>>,
}

impl Calendar {
    /// Finds the calendar of a market by its MIC or the MIC of a segment (`XNYS`, `XNGS`), or by one of the names
    /// `forex`, `24/7` and `24/5`.
    ///
    /// `Ok(None)` means that the market is unknown, so nothing can be said about its sessions. The first call parses
    /// all files, the first call for a market expands its sessions (milliseconds), and later calls are a map lookup.
    ///
    /// # Errors
    ///
    /// Fails if an embedded file is invalid, which a test rules out.
    pub fn for_mic(mic: &str) -> Result<Option<&'static Self>, InvalidCalendar> {
        let all = markets()?;
        let market = all.by_code.get(mic).and_then(|index| all.markets.get(*index));
        market.map(Market::calendar).transpose()
    }

    /// The codes of all embedded calendars, without those of the segments that they serve.
    ///
    /// # Errors
    ///
    /// Fails if an embedded file is invalid, which a test rules out.
    pub fn codes() -> Result<impl Iterator<Item = &'static str>, InvalidCalendar> {
        Ok(markets()?.markets.iter().map(|market| market.definition.code.as_str()))
    }
}

fn markets() -> Result<&'static Markets, InvalidCalendar> {
    MARKETS.as_ref().map_err(Clone::clone)
}

impl Markets {
    fn read() -> Result<Self, InvalidCalendar> {
        let mut all = Markets { markets: Vec::new(), by_code: BTreeMap::new() };
        for (file, text) in FILES {
            all.add(Definition::parse(file, text)?)?;
        }
        Ok(all)
    }

    fn add(&mut self, definition: Definition) -> Result<(), InvalidCalendar> {
        for code in definition.serves.iter().chain([&definition.code]) {
            if self.by_code.insert(code.clone(), self.markets.len()).is_some() {
                return Err(definition.invalid(format!("{code} has another calendar too")));
            }
        }
        self.markets.push(Market { definition, calendar: OnceLock::new() });
        Ok(())
    }
}

impl Market {
    fn calendar(&self) -> Result<&Calendar, InvalidCalendar> {
        self.calendar.get_or_init(|| Calendar::new(&self.definition)).as_ref().map_err(Clone::clone)
    }
}
