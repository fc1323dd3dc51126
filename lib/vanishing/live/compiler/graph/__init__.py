"""The front end: a jaxpr flattened into a graph, and the graph simplified."""
