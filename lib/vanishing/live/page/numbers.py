"""Numbers set as mathematics, one way for prose, readouts and tables; `text.js` does the same.

A true minus sign, powers of ten instead of `e-21`, no minus before a zero, words for what is no
number.
"""

import math

#: What a number may be set as; the letters of a template's `{name:.2f}`.
KINDS = {
    "f": "fixed: so many digits after the point",
    "e": "a power of ten, its factor with so many digits after the point, left out where it is 1",
    "g": "so many significant digits, as a power of ten only below 10⁻⁴ and from 10⁵ on",
    "s": "like g, its trailing zeros kept",
    "d": "whole",
    "%": "per cent",
    "p": "the value is a log₁₀: 10 to this power, as s sets it; with 0 digits the power alone",
}

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_PLAIN = range(-4, 5)  # powers of ten of the numbers that are read faster when written out
_LARGEST = 1e15  # beyond it the last figures of a float64 mean nothing, and fixed reads as g does
_STEEPEST = 1e6  # 10 to a power beyond it is as good as infinite, or 0
_TIMES = "\u00a0×\u00a0"  # no line ends between a factor and its power of ten


def number(value: float, kind: str = "g", digits: int = 3, sign: str = "") -> str:
    """The number as a reader of mathematics expects it.

    Args:
        value: any real number; NaN and infinities become words.
        kind: one of `KINDS`.
        digits: after the point (f, e, %) or significant (g, s, p).
        sign: `"+"` to mark positive numbers too.

    Returns:
        A text without ordinary spaces.

    >>> [number(x) for x in (0.00012, 1234.5, -2.5e-21, 0.0)]
    ['0.00012', '1230', '−2.5\\xa0×\\xa010⁻²¹', '0']
    >>> number(1e-21, "e", 0), number(-0.04, "f", 1), number(1.0, "s"), number(-30.8, "p", 0)
    ('10⁻²¹', '0.0', '1.00', '10⁻³¹')
    """
    value = float(value)
    if kind == "p":
        return _power(value, digits)
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinity" if value > 0 else "−infinity"
    size = _size(abs(value), kind, digits)
    if value < 0 and any(digit in size.split("×")[0] for digit in "123456789"):
        return "−" + size
    return (sign if value >= 0 else "") + size


def _size(size: float, kind: str, digits: int) -> str:
    """A number that is not negative."""
    if kind in "df%" and size >= _LARGEST:
        return _size(size * 100, "g", 3) + "%" if kind == "%" else _size(size, "g", 3)
    if kind == "d":
        return format(size, ".0f")
    if kind == "%":
        return format(size * 100, f".{digits}f") + "%"
    if kind == "f":
        return format(size, f".{digits}f")
    if kind == "e":
        return _scientific(*_decimal(size, digits)) if size else "0"
    return _significant(*_decimal(size, max(digits, 1) - 1), trim=kind == "g")


def _decimal(size: float, digits: int) -> tuple[str, int]:
    """Factor, 1 to 10 with so many digits after the point, and power of ten."""
    factor, power = format(size, f".{digits}e").split("e")
    return factor, int(power)


def _significant(factor: str, power: int, trim: bool) -> str:
    if power not in _PLAIN:
        return _scientific(factor.rstrip("0").rstrip(".") if trim else factor, power)
    figures = factor.replace(".", "")
    whole, rest = (figures[: power + 1], figures[power + 1 :]) if power >= 0 else ("0", "")
    if power < 0:
        rest = "0" * (-power - 1) + figures
    rest = rest.rstrip("0") if trim else rest
    return whole.ljust(power + 1, "0") + (f".{rest}" if rest else "")


def _scientific(factor: str, power: int) -> str:
    ten = "10" + str(power).translate(_RAISED)
    return ten if factor == "1" else factor + _TIMES + ten


def _power(log: float, digits: int) -> str:
    """10 to the power `log`, which may lie far outside of what a float can hold."""
    if math.isnan(log) or abs(log) > _STEEPEST:
        return "0" if log < 0 else number(log * math.inf)
    if digits == 0:
        return _scientific("1", math.floor(log + 0.5))
    whole = math.floor(log)
    factor, carry = _decimal(10.0 ** (log - whole), digits - 1)
    return _significant(factor, whole + carry, trim=False)
