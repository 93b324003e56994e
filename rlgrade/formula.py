"""Read a formula that an answer gives as text, and evaluate it exactly.

Two rational functions of low degree that agree at enough rational points are the same function, so comparing exact
values decides the question, and nothing that a student typed is ever run as code.
"""

from __future__ import annotations

import ast
from fractions import Fraction

from rlgrade.check import Wrong

__all__ = ["evaluate"]

MAX_POWER = 20
MAX_LENGTH = 500


def evaluate(text: object, what: str = "The formula", **values: Fraction) -> Fraction:
    """The exact value (a single Fraction) of a formula in +, -, *, /, ** and brackets, with names replaced by `values`.

    Raises `Wrong` for anything but such text, another name, a power that is no whole number up to 20, or a division
    by 0.
    Source: Python language reference, `ast`; Schwartz (1980) on testing identities at points.
    """
    if not isinstance(text, str):
        raise Wrong(f'{what} must be a formula as text, such as "1/(1 - gamma)"; got {type(text).__name__}.')
    if len(text) > MAX_LENGTH:
        raise Wrong(f"{what} is longer than {MAX_LENGTH} characters: simplify it.")
    try:
        return _value(ast.parse(text.strip().replace("^", "**"), mode="eval").body, what, values)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Wrong(f"{what} is not a formula that can be read: {text!r}. Are brackets and * signs complete?") from None
    except ZeroDivisionError:
        at = ", ".join(f"{name} = {value}" for name, value in values.items())
        raise Wrong(f"{what}, {text!r}, divides by zero at {at}.") from None


def _value(node: ast.AST, what: str, values: dict[str, Fraction]) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Fraction(str(node.value))
    if isinstance(node, ast.Name):
        if node.id not in values:
            raise Wrong(f"{what} uses the name {node.id!r}; it may use only {', '.join(values)}.")
        return values[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        operand = _value(node.operand, what, values)
        return operand if isinstance(node.op, ast.UAdd) else -operand
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, what, values), _value(node.right, what, values)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right
        if isinstance(node.op, ast.Pow) and right.denominator == 1 and abs(right) <= MAX_POWER:
            return left**right.numerator
    if isinstance(node, ast.Call) and (not isinstance(node.func, ast.Name) or node.func.id in values):
        raise Wrong(f"{what} lacks a * before a bracket: write (...)*(...), not (...)(...).")
    raise Wrong(f"{what} may hold numbers, {', '.join(values)}, + - * / ** and brackets only.")
