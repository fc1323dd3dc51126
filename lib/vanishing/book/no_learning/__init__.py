"""The room of the chapter "A network that will not learn"."""
