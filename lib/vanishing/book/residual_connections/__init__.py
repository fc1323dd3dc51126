"""The room of the chapter "Residual connections"."""
