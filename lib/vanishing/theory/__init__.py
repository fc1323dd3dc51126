"""What mean-field theory predicts for a network of infinite width.

Notation: q_l is the variance of the pre-activations at layer l, χ the factor by which one layer
multiplies the squared gradient. Sources: Poole et al. 2016; Schoenholz et al. 2017; for batch
normalisation Yang et al. 2019; for residual branches De & Smith 2020.
"""

from vanishing.theory.correlations import correlation_map
from vanishing.theory.critical import critical_sigma_w
from vanishing.theory.lengths import chi, length_fixed_point, length_map
from vanishing.theory.prediction import Prediction, predict

__all__ = [
    "Prediction",
    "chi",
    "correlation_map",
    "critical_sigma_w",
    "length_fixed_point",
    "length_map",
    "predict",
]
