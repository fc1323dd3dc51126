"""The room of the page on benchmarks."""
