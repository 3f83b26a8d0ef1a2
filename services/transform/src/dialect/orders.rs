//! Finds the order of the parts of a file's dates: a date with one reading decides for all others.

use jiff::civil::Date;

use super::moment::{Moment, Order};

/// Evidence for the order of dates in a file.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// For each order, the first date that rules it out and has another possible order.
    refuted: [Option<Example>; 3],
    /// For each pair of orders, the first date that they read differently.
    differing: Vec<(Order, Order, Example)>,
    /// Whether the reading of any date depends on the order.
    pub has_open: bool,
    /// The previous cell; rows of the same day repeat it.
    last: String,
}

/// A cell as an example, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub line: u64,
    pub cell: String,
}

/// The order of dates in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// One order, or several with the same result.
    By(Order),
    /// Undecided: a date, and its readings with their formats.
    Either { example: Example, readings: Vec<(Date, String)> },
    /// No order fits: these two dates rule out all of them.
    Neither([Example; 2]),
}

impl Orders {
    /// Adds the evidence of a date.
    pub fn see(&mut self, cell: &str, line: u64) {
        if cell == self.last {
            return;
        }
        cell.clone_into(&mut self.last);
        let Some(moment) = Moment::read(cell).filter(|moment| moment.known().is_none()) else { return };
        let dates = Order::ALL.map(|order| moment.date(order));
        if dates.iter().all(Option::is_none) {
            return;
        }
        self.has_open = true;
        let example = || Example { line, cell: cell.to_owned() };
        for (refuted, _) in self.refuted.iter_mut().zip(dates).filter(|(_, date)| date.is_none()) {
            refuted.get_or_insert_with(example);
        }
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let (Some(a), Some(b)) = (dates[one], dates[other]) else { continue };
            let pair = (Order::ALL[one], Order::ALL[other]);
            if a != b && !self.differing.iter().any(|(one, other, ..)| (*one, *other) == pair) {
                self.differing.push((pair.0, pair.1, example()));
            }
        }
    }

    pub fn settle(self) -> Settled {
        let is_possible = |order: Order| self.refuted[order as usize].is_none();
        let possible: Vec<Order> = Order::ALL.into_iter().filter(|order| is_possible(*order)).collect();
        let open = self.differing.into_iter().find(|(one, other, ..)| is_possible(*one) && is_possible(*other));
        match (possible.first(), open) {
            (_, Some((.., example))) => Settled::Either { readings: readings(&example.cell, &possible), example },
            (Some(order), None) => Settled::By(*order),
            (None, None) => {
                let [_, day, month] = self.refuted;
                day.zip(month).map_or(Settled::By(Order::Day), |(day, month)| Settled::Neither([day, month]))
            }
        }
    }
}

/// The dates that a text is in some orders, each with the format for `--date-format`.
fn readings(cell: &str, orders: &[Order]) -> Vec<(Date, String)> {
    let Some(moment) = Moment::read(cell) else { return Vec::new() };
    orders.iter().filter_map(|order| Some((moment.date(*order)?, moment.format(*order)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(cells: &[&str]) -> Settled {
        let mut orders = Orders::default();
        for (line, cell) in (2..).zip(cells) {
            orders.see(cell, line);
        }
        orders.settle()
    }

    #[test]
    fn a_number_above_twelve_settles_the_order_of_all() {
        assert_eq!(settle(&["01/02/2024", "13/02/2024"]), Settled::By(Order::Day));
        assert_eq!(settle(&["01/02/2024", "01/13/2024"]), Settled::By(Order::Month));
        assert_eq!(settle(&["01.02.2024"]), Settled::By(Order::Day));
        assert_eq!(settle(&["05/05/2024", "06/06/2024"]), Settled::By(Order::Day));
        assert_eq!(settle(&["24/01/02", "99/01/13"]), Settled::By(Order::Year));
    }

    #[test]
    fn what_nothing_settles_is_shown_in_both_readings() {
        let Settled::Either { example, readings } = settle(&["01/01/2024", "01/02/2024"]) else { panic!() };
        assert_eq!((example.line, example.cell.as_str()), (3, "01/02/2024"));
        let texts = |readings: Vec<(Date, String)>| {
            readings.iter().map(|(date, by)| format!("{date} {by}")).collect::<Vec<_>>()
        };
        assert_eq!(texts(readings), ["2024-02-01 %d/%m/%Y", "2024-01-02 %m/%d/%Y"]);
        let Settled::Either { readings, .. } = settle(&["01/05/24", "01/04/24"]) else { panic!() };
        assert_eq!(texts(readings), ["2001-05-24 %y/%m/%d", "2024-05-01 %d/%m/%y", "2024-01-05 %m/%d/%y"]);
        assert!(matches!(settle(&["13/01/2024", "01/13/2024"]), Settled::Neither(_)));
    }
}
