"""Mutants: small mistakes, each one changed expression or statement in the body of a function."""

import ast
import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

OPPOSITES = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    start: int
    """Offset in the file's UTF-8; the code from here to `end` is replaced."""
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {_short(self.before)}  →  {_short(self.after)}"

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.after.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        before, after = (text.decode().splitlines() for text in (source, self.applied(source)))
        return "\n".join(difflib.unified_diff(before, after, self.path, self.path, n=1, lineterm=""))


def _short(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= 70 else f"{line[:67]}..."


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All that can be made of a file, in the order of its text."""
    encoded = source.encode()
    starts = [0]
    for line in encoded.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node in _bodies(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        before = encoded[start:end].decode()
        found += [Mutant(path, node.lineno, start, end, before, after) for after in _changed(node)]
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.after))


def _bodies(tree: ast.AST, *, in_function: bool = False) -> Iterator[ast.expr | ast.stmt]:
    """The nodes within functions; no texts for people, and no assertions: what they say always holds."""
    for field, value in ast.iter_fields(tree):
        is_body = in_function or (field == "body" and isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef))
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_aside(child) or _is_first(tree, child):
                continue
            if is_body and isinstance(child, ast.expr | ast.stmt):
                yield child
            yield from _bodies(child, in_function=is_body)


def _is_aside(node: ast.AST) -> bool:
    is_logging = isinstance(node, ast.Expr) and "logger." in ast.unparse(node)
    is_asserted = isinstance(node, ast.keyword) and node.arg == "strict"  # of `zip`
    return is_logging or is_asserted or isinstance(node, ast.JoinedStr | ast.Assert | ast.arguments)


def _is_first(parent: ast.AST, node: ast.AST) -> bool:
    """An index of 0: changed with what it is an index of."""
    return isinstance(parent, ast.Subscript) and isinstance(node, ast.Constant) and node.value == 0


def _changed(node: ast.expr | ast.stmt) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            yield _with(node, ops=[OPPOSITES[type(operator)]()])
        case ast.BoolOp(op=operator) | ast.BinOp(op=operator) if type(operator) in OPPOSITES:
            yield _with(node, op=OPPOSITES[type(operator)]())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value)):
            yield from (str(value + 1), f"({value - 1})")
        case ast.Subscript(slice=ast.Constant(value=0)):
            yield _with(node, slice=ast.Constant(1))  # not the last: a row may have one column
        case (
            ast.Expr(value=ast.Call() | ast.Await(value=ast.Call()))
            | ast.AugAssign()
            | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            | ast.Delete(targets=[ast.Subscript()])
        ):
            yield "pass"
        case ast.Return(value=ast.Constant(value=None | False)):
            return  # None is as false as False
        case ast.Return(value=ast.expr()):
            yield "return None"


def _with(node: ast.AST, **fields: object) -> str:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return f"({ast.unparse(changed)})"
