"""The room of the chapter "Dead neurons"."""
