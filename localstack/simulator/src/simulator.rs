//! The simulator without HTTP: turns a request and the current time into a reply.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::call::Call;
use crate::api::defects::Defect;
use crate::api::error::ApiError;
use crate::api::parameters::Parameters;
use crate::api::time_series::{AnswerContext, Body, Shape, TimeSeries};
use crate::credits::Budget;
use crate::fault_text::Defects;
use crate::faults::{Fault, Faults, Kind};
use crate::market::noise::Noise;
use crate::market::splits::Split;
use crate::reply::Reply;
use crate::request_log::{Entry, RequestLog};
use crate::settings::Settings;
use crate::world::World;

/// The simulator. One lock protects the state that requests change; it is not held while candles are generated.
#[derive(Debug)]
pub struct Simulator {
    world: World,
    key: Option<String>,
    noise: Noise,
    state: Mutex<State>,
}

/// The state that requests change.
#[derive(Clone, Debug)]
pub struct State {
    pub budget: Budget,
    pub faults: Faults,
    pub defects: Defects,
    pub splits: Vec<Split>,
    pub log: RequestLog,
    draw_count: i64,
}

/// A request to the API.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub parameters: Parameters,
    /// The key of the `Authorization` header.
    pub header_key: Option<String>,
}

/// The parts of the state that are needed to answer an admitted request.
struct Admission {
    faults: Vec<Option<Fault>>,
    splits: Vec<Split>,
    defects: Defects,
    usage_answer: Value,
}

impl Simulator {
    /// Creates a simulator whose credits are all unused.
    pub fn new(settings: &Settings) -> Result<Self> {
        let state = State {
            budget: Budget::new(settings.plan.clone()),
            faults: settings.faults.clone(),
            defects: settings.defects.clone(),
            splits: Vec::new(),
            log: RequestLog::default(),
            draw_count: 0,
        };
        let noise = Noise::new(settings.seed, "");
        Ok(Self { world: World::new(settings.seed)?, key: settings.key.clone(), noise, state: Mutex::new(state) })
    }

    /// Locks the state. A poisoned lock is ignored, because a panic leaves every field valid.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request at `now` and logs it.
    pub fn answer(&self, request: &Request, now: Timestamp) -> Reply {
        let mut entry = Entry::new(&request.path, &request.parameters, now);
        let mut reply = match self.authorize(request) {
            Ok(()) => self.answer_authorized(request, now, &mut entry),
            Err(error) => Reply::of(Err(error)),
        };
        let mut state = self.state();
        if state.faults.status200_errors && reply.status >= 400 {
            reply.status = 200;
        }
        entry.status = reply.wire_status();
        state.log.push(entry);
        reply
    }

    fn authorize(&self, request: &Request) -> Result<(), ApiError> {
        let key = request.header_key.as_deref().or_else(|| request.parameters.text("apikey")).unwrap_or_default();
        let accepted = match &self.key {
            Some(expected) => expected == key,
            None => !key.is_empty(),
        };
        if accepted { Ok(()) } else { Err(ApiError::unauthorized()) }
    }

    fn answer_authorized(&self, request: &Request, now: Timestamp, entry: &mut Entry) -> Reply {
        let call = Call::parse(&request.path, &request.parameters);
        let admission = call.as_ref().map_err(ApiError::clone).and_then(|call| {
            entry.credits = call.credits();
            self.admit(&request.path, call, now)
        });
        let reply = match (call, admission) {
            (Ok(call), Ok(admission)) => {
                let faults: Vec<_> = admission.faults.iter().flatten().copied().collect();
                entry.faults = faults.iter().map(|fault| fault.kind).collect();
                self.reply(&call, &admission, now).delivered_with(&faults)
            }
            (Err(error), _) | (_, Err(error)) => Reply::of(Err(error)),
        };
        Reply { usage: Some(self.state().budget.usage(now)), ..reply }
    }

    /// Charges the account and draws a fault for each symbol.
    fn admit(&self, path: &str, call: &Call, now: Timestamp) -> Result<Admission, ApiError> {
        let mut state = self.state();
        state.budget.spend(call.credits(), now)?;
        let symbols = call.symbols().iter().map(String::as_str);
        let targets: Vec<_> = if call.symbols().is_empty() { vec![""] } else { symbols.collect() };
        let faults = targets.into_iter().map(|symbol| state.draw(path, symbol, self.noise)).collect();
        let usage_answer = state.usage_answer(call, now);
        Ok(Admission { faults, splits: state.splits.clone(), defects: state.defects.clone(), usage_answer })
    }

    fn reply(&self, call: &Call, admission: &Admission, now: Timestamp) -> Reply {
        if let Call::TimeSeries(request) = call {
            return self.time_series(request, admission, now);
        }
        let fault = admission.faults.first().copied().flatten();
        if let Some(error) = fault.and_then(|fault| self.error_of(fault, now)) {
            return Reply::of(Err(error));
        }
        Reply::of(match call {
            Call::TimeSeries(_) => Err(ApiError::internal(500)),
            Call::EarliestTimestamp(request) => request.answer(&self.world, now),
            Call::Reference(request) => Ok(request.answer()),
            Call::MarketState(request) => Ok(request.answer(&self.world.catalog, now)),
            Call::Indicators => Ok(Body::Json(json!({ "data": {}, "status": "ok" }).into())),
            Call::ApiUsage { format, .. } => Ok(Body::in_format(admission.usage_answer.clone(), *format)),
        })
    }

    fn time_series(&self, request: &TimeSeries, admission: &Admission, now: Timestamp) -> Reply {
        let faults = admission.faults.iter().copied();
        let mut parts: Vec<_> = (request.symbols.iter().zip(faults))
            .map(|(symbol, fault)| (symbol.clone(), self.one_symbol(request, symbol, fault, admission, now)))
            .collect();
        match (parts.pop(), parts.is_empty()) {
            (Some((_, only)), true) => Reply::of(only),
            (last, _) => Reply::of_parts(parts.into_iter().chain(last).collect()),
        }
    }

    fn one_symbol(
        &self,
        request: &TimeSeries,
        symbol: &str,
        fault: Option<Fault>,
        admission: &Admission,
        now: Timestamp,
    ) -> Result<Body, ApiError> {
        if let Some(error) = fault.and_then(|fault| self.error_of(fault, now)) {
            return Err(error);
        }
        let defects = defects_of(symbol, &admission.defects);
        let context = AnswerContext { world: &self.world, now, splits: &admission.splits, defects: &defects };
        request.answer(symbol, &context, fault.map_or(Shape::Intact, shape_of))
    }

    /// Returns the error that a fault causes, or `None` if it affects the delivery or shape.
    fn error_of(&self, fault: Fault, now: Timestamp) -> Option<ApiError> {
        let mut state = self.state();
        let usage = state.budget.usage(now);
        let plan = state.budget.plan();
        match fault.kind {
            Kind::ServerError => Some(ApiError::internal(fault.code.unwrap_or(500))),
            Kind::PlanGate => Some(ApiError::plan_gate(fault.code.unwrap_or(403))),
            Kind::MinuteExhausted => Some(ApiError::minute_exhausted(usage.used, plan.per_minute)),
            Kind::DayExhausted => {
                Some(ApiError::day_exhausted(usage.used_today, plan.per_day.unwrap_or(usage.used_today)))
            }
            _ => None,
        }
    }
}

impl State {
    fn draw(&mut self, path: &str, symbol: &str, noise: Noise) -> Option<Fault> {
        self.draw_count += 1;
        self.faults.draw(path, symbol, self.draw_count, noise)
    }

    /// Returns the answer of `/api_usage`, including the credit that this request costs.
    fn usage_answer(&mut self, call: &Call, now: Timestamp) -> Value {
        let Call::ApiUsage { zone, .. } = call else { return Value::Null };
        let usage = self.budget.usage(now);
        let plan = self.budget.plan();
        let timestamp = zone.or(&jiff::tz::TimeZone::UTC).to_datetime(now).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let mut answer = json!({
            "timestamp": timestamp, "current_usage": usage.used, "plan_limit": plan.per_minute,
            "plan_category": plan.category,
        });
        if let Some(limit) = plan.per_day {
            answer["daily_usage"] = usage.used_today.into();
            answer["plan_daily_limit"] = limit.into();
        }
        answer
    }
}

/// Returns the defects of `*` and of the symbol without its exchange.
fn defects_of(symbol: &str, defects: &Defects) -> Vec<Defect> {
    let symbol = symbol.to_ascii_uppercase();
    let ticker = symbol.split(':').next().unwrap_or_default();
    ["*", ticker].iter().filter_map(|name| defects.get(*name)).flatten().copied().collect()
}

fn shape_of(fault: Fault) -> Shape {
    match fault.kind {
        Kind::Nulls => Shape::Nulls,
        Kind::NoValues => Shape::NoValues,
        Kind::EmptyValues => Shape::EmptyValues,
        Kind::Short => Shape::Short,
        Kind::Holes => Shape::Holes,
        _ => Shape::Intact,
    }
}
