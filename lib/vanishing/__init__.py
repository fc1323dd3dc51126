"""Measure how signals and gradients travel through deep networks."""
