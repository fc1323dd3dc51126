"""Element-wise operations as formulas in JavaScript, by element type.

JavaScript computes in double precision; every float32 operation that rounds is wrapped in `f`
(`Math.fround`), int32 wraps with `| 0` and uint32 with `>>> 0`. Names after `@` are functions of
the runtime, {0}, {1} and {2} the operands.
"""

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
            *("log", "log1p", "expm1", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("sinh", "cosh", "asinh", "acosh", "atanh"),
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
    # An amount that is no bit number, negative ones too, leaves nothing but the sign.
    "shift_right_arithmetic": "{0} >> Math.min({1} >>> 0, 31)",
}
# Where eight bits are not the last eight of the same with 32. XLA shifts a byte's own top bit in.
BYTE = {
    "clz": "Math.clz32({0}) - 24",
    "shift_right_arithmetic": "{0} << 24 >> Math.min({1}, 7) + 24",
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
