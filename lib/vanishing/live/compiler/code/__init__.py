"""Writing code: values, fusion, and the JavaScript itself."""
