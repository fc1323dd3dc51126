"""The room of the chapter "The clinic"."""
