"""Matplotlib artists that an output can move."""
