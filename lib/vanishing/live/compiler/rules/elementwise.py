"""Element-wise operations as JavaScript expressions, with the rounding of the element type.

JavaScript computes in double precision; every float32 operation that rounds is wrapped in
`f` (`Math.fround`), int32 wraps with `| 0` and uint32 with `>>> 0`. Names after `@`
are functions of the runtime.
"""

from __future__ import annotations

from jax.lax import RoundingMethod

from vanishing.live.compiler.code.emit import Emitter
from vanishing.live.compiler.code.literals import ROUND, wrapped
from vanishing.live.compiler.code.registry import rule
from vanishing.live.compiler.code.values import Affine, Body, Index, Lazy, Scalar, Value
from vanishing.live.compiler.graph.nodes import Const, Node
from vanishing.live.compiler.rules.formulas import (
    BOOL,
    BYTE,
    COMPARE,
    FLOAT_EXACT,
    FLOAT_ROUNDED,
    INTEGER,
    SAME,
)

SHIFTS = {"shift_left": "<<", "shift_right_logical": ">>>", "shift_right_arithmetic": ">>"}
OTHER = {"select_n", "convert_element_type", "bitcast_convert_type", "integer_pow", "round"}
OTHER |= {"reduce_precision", "shift_right_logical"}
# The text of these contains an operand more than once.
REPEATS = {"square", "integer_pow"}
OPS = {*FLOAT_EXACT, *FLOAT_ROUNDED, *INTEGER, *BOOL, *COMPARE, *SAME, *OTHER}


def _shift(op: str, args: list[str], node: Node) -> str:
    amount = node.inputs[1]
    known = isinstance(amount, Const) and ((amount.value >= 0) & (amount.value < 32)).all()
    if known and node.inputs[0].dtype != "uint8":
        return f"{args[0]} {SHIFTS[op]} {args[1]}"
    return INTEGER[op].format(*args)


def _convert(args: list[str], source: str, target: str) -> str:
    value = args[0]
    if source == target or source == "bool":
        return value
    if target == "bool":
        return f"+({value} !== 0)"
    if source == "uint8":
        return value
    if target == "float32":
        return f"f({value})"
    if source == "float32":
        return {"int32": "@toInt({})", "uint32": "@toUint({})", "uint8": "@toByte({})"}[
            target
        ].format(value)
    return ROUND[target].format(value)


def _bitcast(args: list[str], source: str, target: str, node: Node) -> str:
    if source == target:
        return args[0]
    if {source, target} <= {"int32", "uint32"}:
        return ROUND[target].format(args[0])
    table = {"float32": "@bitsToFloat({})", "int32": "@floatToBits({})"}
    table["uint32"] = "@floatToBits({}) >>> 0"
    if target not in table or node.inputs[0].shape != node.outputs[0].shape:
        raise node.refuse(f"from {source} to {target} is not known", "use 32-bit types")
    return table[target].format(args[0])


def _select(args: list[str], node: Node) -> str:
    which, *cases = args
    if node.inputs[0].dtype == "bool":
        return f"{which} ? {cases[1]} : {cases[0]}"
    text = cases[-1]
    for k in reversed(range(len(cases) - 1)):
        text = f"{which} === {k} ? {cases[k]} : ({text})"
    return text


def _integer_pow(value: str, power: int, dtype: str, node: Node) -> str:
    if dtype != "float32":
        if power < 0:
            raise node.refuse("has a negative power of an integer", "convert to float32 first")
        return ROUND[dtype].format(f"@intPow({value}, {power})")
    if abs(power) in (2, 3):
        product = " * ".join([value] * abs(power))
        return f"f({product})" if power > 0 else f"f(1 / ({product}))"
    return f"f({value} ** {power})"


def _other(op: str, args: list[str], node: Node, source: str, target: str) -> str:
    if op == "select_n":
        return _select(args, node)
    if op == "convert_element_type":
        return _convert(args, source, target)
    if op == "bitcast_convert_type":
        return _bitcast(args, source, target, node)
    if op == "integer_pow":
        return _integer_pow(args[0], node.params["y"], target, node)
    if op == "round":
        even = node.params["rounding_method"] == RoundingMethod.TO_NEAREST_EVEN
        return f"{'@roundEven' if even else '@roundAway'}({args[0]})"
    if (node.params["exponent_bits"], node.params["mantissa_bits"]) != (8, 23):
        raise node.refuse("lowers the precision", "compute in plain float32")
    return args[0]


def expression(node: Node, operands: list[str]) -> str:
    """The JavaScript of one element of an element-wise node.

    Args:
        node: the operation.
        operands: the expressions of its inputs' elements.

    Returns:
        An expression whose value is exact in the node's element type.

    Raises:
        CompileError: if the operation is not known for these types.
    """
    op = SAME.get(node.op, node.op)
    source, target = node.inputs[0].dtype, node.outputs[0].dtype
    args = [wrapped(text) for text in operands]
    if op in COMPARE:
        return f"+({args[0]} {COMPARE[op]} {args[1]})"
    if op in OTHER and op not in SHIFTS:
        return _other(op, args, node, source, target)
    if source == "bool" and op in BOOL:
        return BOOL[op].format(*args)
    if source == "float32" and op in FLOAT_EXACT:
        return FLOAT_EXACT[op].format(*args)
    if source == "float32" and op in FLOAT_ROUNDED:
        return f"f({FLOAT_ROUNDED[op].format(*args)})"
    if source not in ("float32", "bool") and op in INTEGER:
        if source == "uint8" and op in BYTE:
            text = BYTE[op].format(*args)
        else:
            text = _shift(op, args, node) if op in SHIFTS else INTEGER[op].format(*args)
        return ROUND[target].format(wrapped(text))
    raise node.refuse(f"is not known for {source}", "cast the operands to float32 or int32")


@rule(*OPS, elementwise=True)
def elementwise(emitter: Emitter, node: Node, values: list[Value]) -> list[Value]:
    """An operation on elements: a recipe, to be fused into the loop that stores it."""
    shape = node.outputs[0].shape

    def element(body: Body, index: Index) -> str:
        for value in values[: node.op in REPEATS]:
            body.element(value, _own(value, index))  # ask twice, so that it gets a name
        operands = [body.element(v, _own(v, index)) for v in values]
        return expression(node, operands)

    if all(isinstance(v, Scalar) for v in values):
        text = expression(node, [v.text for v in values])
        return [Scalar(shape, node.outputs[0].dtype, text=text)]
    reads = frozenset().union(*(v.reads for v in values))
    depth = 1 + max(value.depth for value in values)
    return [Lazy(shape, node.outputs[0].dtype, reads, element=element, depth=depth)]


def _own(value: Value, index: Index) -> Index:
    """The index into an operand: size-1 dimensions are repeated, rank 0 has no index."""
    if not value.shape:
        return ()
    return tuple(
        Affine() if size == 1 else position
        for size, position in zip(value.shape, index, strict=True)
    )
