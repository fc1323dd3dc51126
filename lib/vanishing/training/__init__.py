"""Training: the loop, one update, batches, losses, and many runs at once."""

from vanishing.training.history import Divergence, History
from vanishing.training.loop import train

__all__ = ["Divergence", "History", "train"]
