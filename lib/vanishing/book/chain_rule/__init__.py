"""The room of the chapter "The chain rule is a product"."""
