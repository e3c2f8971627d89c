"""Formulas of other programs' settings: read as a tree and computed by a few rules. No code in them ever runs."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping

_MOST_CHARS = 300
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Mod: math.fmod,
    ast.Pow: math.pow,
}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "abs": abs, "cos": math.cos, "degrees": math.degrees, "exp": math.exp, "log": math.log, "radians": math.radians,
    "sin": math.sin, "sqrt": math.sqrt, "tan": math.tan,
}  # fmt: skip
_CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}


class FormulaError(ValueError):
    """It is no formula, or has no value; the text says why."""


def read_formula(value: object) -> ast.expr:
    """The tree of a number, or of a text such as `1.5*sin(t/2)`.

    Raises:
        FormulaError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FormulaError("is neither a number nor a formula")
    text = str(value).strip()
    if len(text) > _MOST_CHARS:
        raise FormulaError(f"is longer than {_MOST_CHARS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the parser, about odd texts
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError("is neither a number nor a formula") from None


def compute(tree: ast.expr, names: Mapping[str, float]) -> float:
    """The value of a formula, with numbers for its names.

    Raises:
        FormulaError: something in it is not among the rules, or it has no finite value.
    """
    try:
        found = _compute(tree, {**_CONSTANTS, **names})
    except (ArithmeticError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, FormulaError) else "has no value at some moment"
        raise FormulaError(reason) from None
    if not math.isfinite(found):
        raise FormulaError("has no value at some moment")
    return found


def _compute(tree: ast.expr, names: Mapping[str, float]) -> float:
    match tree:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name):
            raise FormulaError(f"has {name} in it, which is not known here")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_compute(operand, names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _compute(operand, names)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _BINARY[type(sign)](_compute(left, names), _compute(right, names))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_compute(argument, names))
        case _:
            raise FormulaError("is more than a formula of numbers, t and the usual functions")
