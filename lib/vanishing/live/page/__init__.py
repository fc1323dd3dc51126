"""What a page is made of: HTML, SVG, sentences with numbers, and the Sphinx extension."""
