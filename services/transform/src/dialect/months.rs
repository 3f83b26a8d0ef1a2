//! The names of months in English and in the languages of other large exchanges and brokers.

/// Prefixes of the names, in ASCII; the longer ones distinguish June from July in French.
const BEGINNINGS: [(&str, i16); 46] = [
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("sty", 1),
    ("feb", 2),
    ("fev", 2),
    ("fév", 2),
    ("lut", 2),
    ("mar", 3),
    ("mär", 3),
    ("mrz", 3),
    ("mrt", 3),
    ("maa", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("kwi", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("maj", 5),
    ("jun", 6),
    ("juin", 6),
    ("giu", 6),
    ("cze", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("lip", 7),
    ("aug", 8),
    ("aou", 8),
    ("aoû", 8),
    ("ago", 8),
    ("sie", 8),
    ("sep", 9),
    ("set", 9),
    ("wrz", 9),
    ("oct", 10),
    ("okt", 10),
    ("out", 10),
    ("ott", 10),
    ("nov", 11),
    ("lis", 11),
    ("dec", 12),
    ("déc", 12),
];

const OTHER_DECEMBERS: [&str; 3] = ["dez", "dic", "gru"];

/// The length of the longest names: `październik`, `septiembre`.
const LONGEST: usize = 12;

/// Finds a month by its name or an abbreviation.
pub fn of(name: &str) -> Option<i16> {
    let lower = name.to_lowercase();
    let is_october = lower.starts_with("paź") || lower.starts_with("paz");
    let is_december = OTHER_DECEMBERS.iter().any(|beginning| lower.starts_with(beginning));
    let found = BEGINNINGS.iter().find(|(beginning, _)| lower.starts_with(beginning)).map(|(_, month)| *month);
    found.or(is_october.then_some(10)).or(is_december.then_some(12)).filter(|_| lower.chars().count() <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_full_and_shortened() {
        for (name, month) in [
            ("Jan", Some(1)),
            ("JANUARY", Some(1)),
            ("März", Some(3)),
            ("mai", Some(5)),
            ("juin", Some(6)),
            ("juil", Some(7)),
            ("août", Some(8)),
            ("Sept", Some(9)),
            ("paź", Some(10)),
            ("Dezember", Some(12)),
            ("Mon", None),
            ("", None),
        ] {
            assert_eq!(of(name), month, "{name}");
        }
    }
}
