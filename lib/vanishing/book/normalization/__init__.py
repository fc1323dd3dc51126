"""The room of the chapter "Normalisation"."""
