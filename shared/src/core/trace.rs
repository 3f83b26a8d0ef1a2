//! The W3C trace context that follows a candle from the API to its row.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A `traceparent` of the W3C Trace Context recommendation, version 00: the ids of a trace and of the span that caused
/// this work. Neither id is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
}

/// The text is not a `traceparent`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid W3C traceparent {0:?}")]
pub struct InvalidTraceParent(String);

impl TraceParent {
    /// Creates a context, or returns `None` if an id is zero, which the recommendation forbids.
    #[must_use]
    pub fn new(trace_id: u128, span_id: u64) -> Option<Self> {
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id })
    }

    /// Returns the id of the trace as a number.
    #[must_use]
    pub fn trace(&self) -> u128 {
        self.trace_id
    }

    /// Returns the id of the causing span as a number.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.span_id
    }

    /// Formats the context as the AWS X-Ray header `X-Amzn-Trace-Id`, which S3 passes on to the queue.
    #[must_use]
    pub fn to_xray(&self) -> String {
        let trace = self.trace_id();
        let (time, unique) = trace.split_at(8);
        format!("Root=1-{time}-{unique};Parent={:016x};Sampled=1", self.span_id)
    }

    /// Parses an AWS X-Ray header. Returns `None` if it has no trace or no parent, as in the first service of a trace.
    #[must_use]
    pub fn from_xray(header: &str) -> Option<Self> {
        let field = |name: &str| header.split(';').find_map(|field| field.trim().strip_prefix(name));
        let root = field("Root=1-")?.replace('-', "");
        let trace_id = u128::from_str_radix(&root, 16).ok().filter(|_| root.len() == 32)?;
        Self::new(trace_id, u64::from_str_radix(field("Parent=")?, 16).ok()?)
    }

    /// Returns the id of the trace as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl FromStr for TraceParent {
    type Err = InvalidTraceParent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceParent> {
        let parse = || {
            let mut fields = text.split('-');
            let version = fields.next()?;
            let trace_id = fields.next()?;
            let span_id = fields.next()?;
            let flags = fields.next()?;
            let lengths = (version.len(), trace_id.len(), span_id.len(), flags.len());
            if lengths != (2, 32, 16, 2) || (version == "00" && fields.next().is_some()) {
                return None;
            }
            Self::new(u128::from_str_radix(trace_id, 16).ok()?, u64::from_str_radix(span_id, 16).ok()?)
        };
        parse().ok_or_else(|| InvalidTraceParent(text.to_owned()))
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{:032x}-{:016x}-01", self.trace_id, self.span_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_back_from_its_text() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parsed: TraceParent = text.parse().unwrap();
        assert_eq!(
            (parsed.to_string().as_str(), parsed.trace_id().as_str()),
            (text, "0af7651916cd43dd8448eb211c80319c")
        );
    }

    #[test]
    fn a_context_goes_through_the_header_of_x_ray() {
        let context: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let header = context.to_xray();
        assert_eq!(header, "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1");
        assert_eq!(TraceParent::from_xray(&header), Some(context));
        for incomplete in
            ["", "Root=1-0af76519-16cd43dd8448eb211c80319c", "Self=1;Root=1-5", "Root=2-0af76519-1;Parent=1"]
        {
            assert_eq!(TraceParent::from_xray(incomplete), None, "{incomplete}");
        }
    }

    #[test]
    fn what_is_no_context_is_refused() {
        let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        for text in ["", "00-abc-def-01", zero, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"] {
            assert!(text.parse::<TraceParent>().is_err(), "{text}");
        }
    }
}
