"""The room of the chapter "The road up and the road down"."""
