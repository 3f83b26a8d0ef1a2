//! The consumer on queues in memory and on paused time: days pass in milliseconds, and nothing really sleeps.

mod health;
mod killers;
mod lease;
mod outage;
mod outage_alert;
mod protection;
mod settling;
mod slots;
mod stop;
mod support;
