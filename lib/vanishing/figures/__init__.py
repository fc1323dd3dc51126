"""The live figures of the book, one a module."""
