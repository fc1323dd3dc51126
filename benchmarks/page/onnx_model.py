"""The microscope as an ONNX model; runs where PyTorch is installed, beside it.

python onnx_model.py PROBLEM.npz MODEL.onnx
"""

import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model


class Graph:
    """ONNX nodes, as they are written one after another; values go by their names."""

    def __init__(self) -> None:
        self.nodes, self.constants = [], []

    def constant(self, value) -> str:
        """A value that is known beforehand."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def __call__(self, operation: str, *inputs: str, **attributes) -> str:
        """The result of an operation."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name


def microscope(x: np.ndarray, drawn: np.ndarray, biases: np.ndarray):
    """A model with the input ``sigma_w`` and the output ``measures`` ``[6 · depth]``."""
    do = Graph()
    depth, width, _ = drawn.shape
    one, few, nothing = (do.constant(np.float32(v)) for v in (1, 0.01, 0))
    along = do.constant(np.array([0]))

    def mean(a: str) -> str:
        return do("ReduceMean", a, keepdims=0)

    def rms(a: str) -> str:
        return do("Sqrt", mean(do("Mul", a, a)))

    def share(a: str) -> str:
        return mean(do("Cast", a, to=TensorProto.FLOAT))

    scale = do("Div", "sigma_w", do.constant(np.float32(width**0.5)))
    h, weights, below, slopes = do.constant(x), [], [], []
    found = [[] for _ in range(6)]
    for layer in range(depth):
        weights.append(do("Mul", do.constant(drawn[layer]), scale))
        below.append(h)
        h = do("Tanh", do("Add", do("MatMul", h, weights[-1]), do.constant(biases[layer])))
        slopes.append(do("Sub", one, do("Mul", h, h)))
        found[0].append(mean(h))
        found[1].append(rms(h))
        largest = do("ReduceMax", slopes[-1], along, keepdims=0)
        found[2].append(share(do("Equal", largest, nothing)))
        found[3].append(share(do("Less", slopes[-1], few)))
    delta, log = do.constant(np.ones_like(x)), nothing
    for layer in reversed(range(depth)):
        delta = do("Mul", delta, slopes[layer])
        size = rms(delta)
        delta = do("Div", delta, size)
        log = do("Add", log, do("Log", size))
        found[4].insert(0, log)
        gradient = do("MatMul", do("Transpose", below[layer], perm=[1, 0]), delta)
        found[5].insert(0, do("Add", log, do("Log", rms(gradient))))
        delta = do("MatMul", delta, do("Transpose", weights[layer], perm=[1, 0]))
    listed = [do("Unsqueeze", value, along) for measure in found for value in measure]
    do.nodes.append(helper.make_node("Concat", listed, ["measures"], axis=0))
    graph = helper.make_graph(
        do.nodes, "microscope",
        [helper.make_tensor_value_info("sigma_w", TensorProto.FLOAT, [])],
        [helper.make_tensor_value_info("measures", TensorProto.FLOAT, [6 * depth])],
        do.constants,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


if __name__ == "__main__":
    problem, target = sys.argv[1:]
    with np.load(problem) as arrays:
        save_model(microscope(**arrays), target)
