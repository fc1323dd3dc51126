"""A decision guide: the questions that tell most about how a network of the ablation ends."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from vanishing.studies.ablation import FACTORS, Losses


@dataclass
class Node:
    """Networks that some questions have not told apart.

    Attributes:
        fixed: factor → value, what they have in common.
        losses: one a network: the median over its starts.
        asks: the factor that the next question is about; None in a leaf.
        answers: a node for each of its values.
    """

    fixed: dict[str, object]
    losses: Float[np.ndarray, " networks"]
    asks: str | None = None
    answers: list["Node"] = field(default_factory=list)

    def walk(self):
        """This node and all below, each before its answers."""
        yield self
        for answer in self.answers:
            yield from answer.walk()


def _unexplained(losses: np.ndarray) -> float:
    return float(np.abs(losses - np.median(losses)).sum())


def _split(losses: Losses, node: Node, factor: str) -> list[Node]:
    return [_node(losses, node.fixed | {factor: value}) for value in FACTORS[factor]]


def _node(losses: Losses, fixed) -> Node:
    chosen = [
        FACTORS[name].index(fixed[name]) if name in fixed else slice(None) for name in FACTORS
    ]
    return Node(fixed, np.median(losses, axis=-1)[tuple(chosen)].ravel())


def guide(losses: Losses, leaves: int) -> Node:
    """Ask greedily: of all questions at all leaves, the one that brings the losses closest to the
    medians of its answers, until there are so many leaves.

        max over leaf and factor of   Σ_leaf |C − median| − Σ_answers Σ |C − median of the answer|

    Args:
        losses: from `ablation.tuned`.
        leaves: no question is asked that leads to more.

    Source: Breiman et al. 1984, Classification and Regression Trees, with absolute deviations
    (chapter 8) and a branch for every value.
    """
    root = _node(losses, {})
    while True:
        ends = [node for node in root.walk() if not node.answers]
        questions = []
        for end in ends:
            for factor, values in FACTORS.items():
                if factor in end.fixed or len(ends) - 1 + len(values) > leaves:
                    continue
                answers = _split(losses, end, factor)
                gain = _unexplained(end.losses) - sum(_unexplained(a.losses) for a in answers)
                questions.append((gain, end, factor, answers))
        if not questions:
            return root
        _, end, end.asks, end.answers = max(questions, key=lambda question: question[0])
