"""Reads the JavaScript that the generator writes for one element: formulas, and addresses.

WebAssembly is made from the text of a loop, not beside it, so that both compute one formula. What
can differ are the order of a sum, taken in float64 and rounded once, and the last bits of exp.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"\s*(@?[^\W\d][\w.]*|\d+\.?\d*(?:e[+-]?\d+)?|\*\*|[=!]==|[<>]=?|\S)")
#: Operators from the loosest to the tightest.
BINARY = [{"|"}, {"&"}, {"===", "!==", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/"}]

Tree = tuple  # (kind, *parts), parts being trees, texts or numbers


class Unfit(Exception):
    """What has no counterpart in vectors: it stays JavaScript."""


def parse(text: str) -> Tree:
    """An expression as a tree.

    Raises:
        Unfit: an operator or a form that is not known here.

    >>> parse("f(a[2 * i] + 0.5)")
    ('f', ('+', ('[]', 'a', ('*', ('number', 2.0), ('name', 'i'))), ('number', 0.5)))
    >>> parse("+(x > 0) ? x : -y")
    ('?', ('+1', ('>', ('name', 'x'), ('number', 0.0))), ('name', 'x'), ('-1', ('name', 'y')))
    """
    tokens = [*TOKEN.findall(text), ""][::-1]
    tree = _choice(tokens)
    if tokens != [""]:
        raise Unfit(text)
    return tree


def _take(tokens: list[str], wanted: str) -> None:
    if tokens.pop() != wanted:
        raise Unfit(wanted)


def _choice(tokens: list[str]) -> Tree:
    tree = _binary(tokens, 0)
    if tokens[-1] != "?":
        return tree
    tokens.pop()
    then = _choice(tokens)
    _take(tokens, ":")
    return ("?", tree, then, _choice(tokens))


def _binary(tokens: list[str], level: int) -> Tree:
    if level == len(BINARY):
        return _unary(tokens)
    tree = _binary(tokens, level + 1)
    while tokens[-1] in BINARY[level]:
        tree = (tokens.pop(), tree, _binary(tokens, level + 1))
    return tree


def _unary(tokens: list[str]) -> Tree:
    token = tokens.pop()
    if token in ("-", "+"):
        return (f"{token}1", _unary(tokens))
    if token == "(":
        tree = _choice(tokens)
        _take(tokens, ")")
        return tree
    if token[:1].isdigit():
        return ("number", float(token))
    if not re.match(r"@?[^\W\d]", token):
        raise Unfit(token)
    return _named(token.removeprefix("@"), tokens)


def _named(name: str, tokens: list[str]) -> Tree:
    """A name, an element of a buffer, or a call."""
    if tokens[-1] == "[":
        tokens.pop()
        place = _choice(tokens)
        _take(tokens, "]")
        return ("[]", name, place)
    if tokens[-1] != "(":
        return ("number", float("inf")) if name == "Infinity" else ("name", name)
    tokens.pop()
    operands = [_choice(tokens)]
    while tokens[-1] == ",":
        tokens.pop()
        operands.append(_choice(tokens))
    _take(tokens, ")")
    return (name, *operands)


def linear(tree: Tree) -> dict[str, int]:
    """An address as the factor of each name, that of "" being what is added.

    >>> linear(parse("-64 * i - j + 3"))
    {'i': -64, 'j': -1, '': 3}
    """
    match tree:
        case ("number", value) if value == int(value):
            return {"": int(value)}
        case ("name", name):
            return {name: 1}
        case ("-1", part):
            return {name: -factor for name, factor in linear(part).items()}
        case ("*", factor, part) if linear(factor).keys() == {""}:
            times = linear(factor)[""]
            return {name: times * old for name, old in linear(part).items()}
        case ("+" | "-" as sign, left, right):
            total = linear(left)
            for name, factor in linear(right if sign == "+" else ("-1", right)).items():
                total[name] = total.get(name, 0) + factor
            return total
    raise Unfit("no address")
