"""JavaScript and CSS of the page and of the widget."""
