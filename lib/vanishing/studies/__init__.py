"""The experiments whose numbers the book prints."""
