//! Metrics by their declarations: what the tables in this room are made into.

use std::collections::HashMap;

use prometheus::{
    CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder,
};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by these upper bounds.
    Histogram(&'static [f64]),
}

/// The declaration of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its full name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

pub(super) const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

pub(super) const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

enum Family {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

/// The metrics of one process, in a registry of their own.
pub(super) struct Families {
    registry: Registry,
    by_name: HashMap<&'static str, Family>,
}

impl Families {
    /// All metrics of these tables.
    ///
    /// # Errors
    ///
    /// A declaration that the library refuses, which a test would have found.
    pub(super) fn of(tables: &[&[Metric]]) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let mut by_name = HashMap::new();
        for metric in tables.iter().copied().flatten() {
            let opts = Opts::new(metric.name, metric.help);
            let family = match metric.kind {
                Kind::Counter => {
                    let vec = CounterVec::new(opts, metric.labels)?;
                    registry.register(Box::new(vec.clone()))?;
                    Family::Counter(vec)
                }
                Kind::Gauge => {
                    let vec = GaugeVec::new(opts, metric.labels)?;
                    registry.register(Box::new(vec.clone()))?;
                    Family::Gauge(vec)
                }
                Kind::Histogram(buckets) => {
                    let opts = HistogramOpts::from(opts).buckets(buckets.to_vec());
                    let vec = HistogramVec::new(opts, metric.labels)?;
                    registry.register(Box::new(vec.clone()))?;
                    Family::Histogram(vec)
                }
            };
            by_name.insert(metric.name, family);
        }
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self { registry, by_name })
    }

    pub(super) fn set(&self, name: &str, labels: &[&str], value: f64) {
        if let Some(Family::Gauge(vec)) = self.by_name.get(name) {
            vec.with_label_values(labels).set(value);
        }
    }

    pub(super) fn add_to(&self, name: &str, labels: &[&str], value: f64) {
        if let Some(Family::Gauge(vec)) = self.by_name.get(name) {
            vec.with_label_values(labels).add(value);
        }
    }

    pub(super) fn add(&self, name: &str, labels: &[&str], value: f64) {
        if let Some(Family::Counter(vec)) = self.by_name.get(name) {
            vec.with_label_values(labels).inc_by(value);
        }
    }

    pub(super) fn touch(&self, name: &str, labels: &[&str]) {
        if let Some(Family::Histogram(vec)) = self.by_name.get(name) {
            vec.with_label_values(labels);
        }
    }

    pub(super) fn observe(&self, name: &str, labels: &[&str], value: f64) {
        if let Some(Family::Histogram(vec)) = self.by_name.get(name) {
            vec.with_label_values(labels).observe(value);
        }
    }

    /// The text format, version 0.0.4.
    pub(super) fn text(&self) -> String {
        let mut buffer = Vec::new();
        // Writing to memory cannot fail, and the tables' names are valid.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut buffer);
        String::from_utf8(buffer).unwrap_or_default()
    }
}
