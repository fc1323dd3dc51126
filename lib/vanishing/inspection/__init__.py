"""The instrument for any JAX model: `inspect` measures every layer of a loss, unedited."""

from vanishing.inspection.api import inspect, watch
from vanishing.inspection.records import Finding, Histogram, Layer, Parameter
from vanishing.inspection.report import Comparison, Report

__all__ = ["Comparison", "Finding", "Histogram", "Layer", "Parameter", "Report", "inspect", "watch"]
