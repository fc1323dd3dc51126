"""The room of the chapter "Initialisation"."""
