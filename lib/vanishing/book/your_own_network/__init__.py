"""The room of the chapter "Your own network"."""
