"""A mistake in a process that has imported everything: functions take the code of the mutant.

Mutants are in bodies of functions only. So all is as if the mutant had been imported, but for what its function did
while modules were imported; where it did anything it takes a new process.
"""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType

Functions = dict[tuple[str, str, int], list[FunctionType]]
"""Of a file, by qualified name and first line; where a decorator wraps one, all that have its code."""


def functions_of(folder: Path) -> Functions:
    """All functions in this process that were imported from a folder."""
    gc.unfreeze()
    found: Functions = defaultdict(list)
    for value in gc.get_objects():
        if isinstance(value, FunctionType) and value.__code__.co_filename.startswith(f"{folder}/"):
            code = value.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(value)
    gc.freeze()
    return found


def swap(functions: Functions, path: Path, before: bytes) -> None:
    """Functions of a file take the code that it has now. Raises ValueError where one cannot."""
    new = dict(_codes(compile(path.read_bytes(), path, "exec")))
    for place, code in _codes(compile(before, path, "exec")):
        for function in functions.get((str(path), code.co_qualname, code.co_firstlineno), ()):
            if place not in new:
                raise ValueError(f"{code.co_qualname} has gone")
            function.__code__ = new[place]


def _codes(module: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """Of all functions, each with its qualified name and which of that name it is."""
    seen: Counter[str] = Counter()
    waiting = [module]
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        if code.co_flags & CO_OPTIMIZED:
            seen[code.co_qualname] += 1
            yield (code.co_qualname, seen[code.co_qualname]), code
