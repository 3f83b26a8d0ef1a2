//! The W3C trace context that follows a candle from the API to its row.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A `traceparent` of the W3C Trace Context recommendation, version 00: one trace, and the span that caused this work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace; never nought.
    trace_id: u128,
    /// The causing span; never nought.
    span_id: u64,
}

/// The text is no `traceparent`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no W3C traceparent")]
pub struct NotATraceParent(String);

impl TraceParent {
    /// The context with these ids; none where one is nought, which the recommendation calls invalid.
    #[must_use]
    pub fn new(trace_id: u128, span_id: u64) -> Option<Self> {
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id })
    }

    /// The trace's id, as a number.
    #[must_use]
    pub fn trace(&self) -> u128 {
        self.trace_id
    }

    /// The causing span's id, as a number.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.span_id
    }

    /// The same context in the form of AWS X-Ray's header `X-Amzn-Trace-Id`, which S3 passes on to the queue.
    #[must_use]
    pub fn to_xray(&self) -> String {
        let trace = self.trace_id();
        let (time, unique) = trace.split_at(8);
        format!("Root=1-{time}-{unique};Parent={:016x};Sampled=1", self.span_id)
    }

    /// The context in a header of AWS X-Ray; none where it names no trace or no parent, as the first service's does.
    #[must_use]
    pub fn from_xray(header: &str) -> Option<Self> {
        let field = |name: &str| header.split(';').find_map(|field| field.trim().strip_prefix(name));
        let root = field("Root=1-")?.replace('-', "");
        let trace_id = u128::from_str_radix(&root, 16).ok().filter(|_| root.len() == 32)?;
        Self::new(trace_id, u64::from_str_radix(field("Parent=")?, 16).ok()?)
    }

    /// The trace's id, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let parse = || {
            let mut fields = text.split('-');
            let (version, trace_id, span_id, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let lengths = (version.len(), trace_id.len(), span_id.len(), flags.len());
            if lengths != (2, 32, 16, 2) || (version == "00" && fields.next().is_some()) {
                return None;
            }
            Self::new(u128::from_str_radix(trace_id, 16).ok()?, u64::from_str_radix(span_id, 16).ok()?)
        };
        parse().ok_or_else(|| NotATraceParent(text.to_owned()))
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
