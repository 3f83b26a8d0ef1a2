//! The account, as headers, `/api_usage` and refusals show it.

use candlewick_simulator::credits::Plan;
use candlewick_simulator::settings::Settings;
use serde_json::json;

use crate::support::{local_with, served};

fn free() -> Settings {
    Settings { plan: "free".parse().unwrap(), ..Settings::default() }
}

#[tokio::test]
async fn headers_tell_the_credits_of_the_minute() {
    let api = served(free()).await;
    let response = api.get("/time_series?symbol=AAPL,MSFT,KO&interval=1day&outputsize=1").await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!([header("api-credits-used"), header("api-credits-left"), header("is_batch")], ["3", "5", "true"]);
}

#[test]
fn a_minute_without_credits_is_refused_until_the_next() {
    let mut local = local_with(&free());
    for _ in 0..8 {
        assert_eq!(local.reply("/time_series?symbol=AAPL&interval=1day").status, 200);
    }
    let (code, message) = local.error("/time_series?symbol=AAPL,MSFT&interval=1day");
    assert_eq!(code, 429);
    assert_eq!(
        message,
        "You have run out of API credits for the current minute. 10 API credits were used, with the current limit being 8. \
         Wait for the next minute or consider upgrading your plan at https://twelvedata.com/pricing"
    );
    local.now += jiff::SignedDuration::from_mins(1);
    assert_eq!(local.reply("/time_series?symbol=AAPL&interval=1day").status, 200);
}

#[test]
fn a_day_without_credits_is_refused_until_the_next() {
    let plan = Plan { per_day: Some(2), ..Plan::unlimited() };
    let mut local = local_with(&Settings { plan, ..Settings::default() });
    assert_eq!(local.reply("/time_series?symbol=AAPL,KO&interval=1day").status, 200);
    let (code, message) = local.error("/time_series?symbol=AAPL&interval=1day");
    assert!(code == 429 && message.starts_with("You have run out of API credits for the day. 3 API credits were used"));
    local.now += jiff::SignedDuration::from_hours(24);
    assert_eq!(local.reply("/time_series?symbol=AAPL&interval=1day").status, 200);
}

#[test]
fn the_usage_counts_itself_and_tells_a_daily_limit_where_there_is_one() {
    let local = local_with(&free());
    local.reply("/time_series?symbol=AAPL&interval=1day");
    let expected = json!({
        "timestamp": "2026-11-18 17:00:00", "current_usage": 2, "plan_limit": 8, "daily_usage": 2,
        "plan_daily_limit": 800, "plan_category": "basic",
    });
    assert_eq!(local.json("/api_usage"), expected);
    let unlimited = local_with(&Settings::default()).json("/api_usage?timezone=America/New_York");
    assert_eq!(unlimited.get("plan_daily_limit"), None);
    assert_eq!(unlimited["timestamp"], "2026-11-18 12:00:00");
}

#[test]
fn what_cannot_be_understood_costs_nothing() {
    let local = local_with(&free());
    local.reply("/time_series?symbol=AAPL&interval=soon");
    local.reply("/nowhere");
    assert_eq!(local.json("/api_usage")["current_usage"], 1);
}
