"""Element-wise operations as JavaScript expressions, with the rounding of the element type.

JavaScript computes in double precision; every float32 operation that rounds is wrapped in
``f`` (``Math.fround``), int32 wraps with ``| 0`` and uint32 with ``>>> 0``. Names after ``@``
are functions of the runtime.
"""

from __future__ import annotations

import re

import numpy as np

from vanishing.live.compiler.graph.nodes import Const, Node

ROUND = {"float32": "f({})", "int32": "{} | 0", "uint32": "{} >>> 0", "uint8": "{} & 255"}
COMPARE = {"eq": "===", "ne": "!==", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
SAME = {"add_any": "add"}

# Results of these are exact in float32 whenever their inputs are.
FLOAT_EXACT = {
    "neg": "-{0}",
    "abs": "Math.abs({0})",
    "sign": "Math.sign({0})",
    "floor": "Math.floor({0})",
    "ceil": "Math.ceil({0})",
    "max": "Math.max({0}, {1})",
    "min": "Math.min({0}, {1})",
    "is_finite": "+Number.isFinite({0})",
    "rem": "{0} % {1}",
    "nextafter": "@nextafter({0}, {1})",
    "lt_to": "+(@totalOrder({0}) < @totalOrder({1}))",
    "le_to": "+(@totalOrder({0}) <= @totalOrder({1}))",
    "eq_to": "+(@floatToBits({0}) === @floatToBits({1}))",
    "clamp": "Math.min(Math.max({1}, {0}), {2})",
}
FLOAT_ROUNDED = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "square": "{0} * {0}",
    "sqrt": "Math.sqrt({0})",
    "rsqrt": "1 / Math.sqrt({0})",
    "exp": "@exp({0})",
    "exp2": "2 ** {0}",
    "logistic": "@logistic({0})",
    "tanh": "@tanh({0})",
    "erf": "@erf({0})",
    "erfc": "@erfc({0})",
    "erf_inv": "@erfInv({0})",
    "pow": "@pow({0}, {1})",
    "atan2": "Math.atan2({0}, {1})",
    **{
        name: f"Math.{name}({{0}})"
        for name in (
            [
                "log",
                "log1p",
                "expm1",
                "cbrt",
                "sin",
                "cos",
                "tan",
                "asin",
                "acos",
                "atan",
                "sinh",
                "cosh",
                "asinh",
                "acosh",
                "atanh",
            ]
        )
    },
}
INTEGER = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "Math.imul({0}, {1})",
    "square": "Math.imul({0}, {0})",
    "div": "@intDiv({0}, {1})",
    "rem": "@intRem({0}, {1})",
    "neg": "-{0}",
    "abs": "Math.abs({0})",
    "sign": "Math.sign({0})",
    "max": "Math.max({0}, {1})",
    "min": "Math.min({0}, {1})",
    "clamp": "Math.min(Math.max({1}, {0}), {2})",
    "pow": "@intPow({0}, {1})",
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "xor": "{0} ^ {1}",
    "not": "~{0}",
    "clz": "Math.clz32({0})",
    "population_count": "@popcount({0})",
    "shift_left": "@shiftLeft({0}, {1})",
    "shift_right_logical": "@shiftRight({0}, {1})",
    "shift_right_arithmetic": "{0} >> Math.min({1}, 31)",
}
BOOL = {
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "xor": "{0} ^ {1}",
    "not": "{0} ^ 1",
    "max": "{0} | {1}",
    "min": "{0} & {1}",
    "mul": "{0} & {1}",
    "add": "{0} | {1}",
}
SHIFTS = {"shift_left": "<<", "shift_right_logical": ">>>", "shift_right_arithmetic": ">>"}
OTHER = {"select_n", "convert_element_type", "bitcast_convert_type", "integer_pow", "round"}
OTHER |= {"reduce_precision", "shift_right_logical"}
# The text of these contains an operand more than once.
REPEATS = {"square", "integer_pow"}
OPS = {*FLOAT_EXACT, *FLOAT_ROUNDED, *INTEGER, *BOOL, *COMPARE, *SAME, *OTHER}


def number(value) -> str:
    """A constant as JavaScript.

    >>> number(np.float32(-0.5)), number(np.bool_(True)), number(np.float32("-inf"))
    ('-0.5', '1', '-Infinity')
    """
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool | int):
        return str(int(value))
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    text = str(np.float32(value))  # the shortest text that reads back as this float32
    text = text.removesuffix(".0")
    # JavaScript reads the text as a double, so round it unless it is exact already.
    return text if float(text) == value else f"f({text})"


def _wrap(text: str) -> str:
    """Parentheses around an expression, unless it is a name, a number, or one call."""
    head = re.match(r"[@\w.$]+", text)
    rest = text[head.end() :] if head else text
    depth = 0
    for place, character in enumerate(rest):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and place < len(rest) - 1:
            return f"({text})"
    return text if head else f"({text})"


def _shift(op: str, args: list[str], node: Node) -> str:
    amount = node.inputs[1]
    if isinstance(amount, Const) and amount.value.size and (amount.value < 32).all():
        return f"{args[0]} {SHIFTS[op]} {args[1]}"
    return INTEGER[op].format(*args)


def _convert(args: list[str], source: str, target: str) -> str:
    value = args[0]
    if source == target or (source == "bool" and target != "float32") or source == "uint8":
        return value
    if target == "bool":
        return f"+({value} !== 0)"
    if target == "float32":
        return value if source == "bool" else f"f({value})"
    if source == "float32":
        return {"int32": "@toInt({})", "uint32": "@toUint({})", "uint8": "@toByte({})"}[
            target
        ].format(value)
    return ROUND[target].format(value)


def _bitcast(args: list[str], source: str, target: str, node: Node) -> str:
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
        even = "EVEN" in str(node.params["rounding_method"])
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
    args = [_wrap(text) for text in operands]
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
    if source in ROUND and source != "float32" and op in INTEGER:
        text = _shift(op, args, node) if op in SHIFTS else INTEGER[op].format(*args)
        return ROUND[target].format(_wrap(text))
    raise node.refuse(f"is not known for {source}", "cast the operands to float32 or int32")
