"""The room of the chapter "Activation functions"."""
