"""Which module imports which, read from the lines: those in functions too, lazy names followed.

A room is a package that hands out names: in the stub beside its `__init__.py` (lazily), or by the
imports in it. Other packages are corridors: one walks through them.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Line:
    """One imported thing: its dotted path, the name it gets, and whether it serves types only."""

    path: str
    alias: str
    types_only: bool


def modules() -> list[Path]:
    return sorted([*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "Home.py"])


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def lines(path: Path) -> tuple[Line, ...]:
    for_types = {
        id(inner)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [Line(a.name, a.asname or a.name, id(node) in for_types) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [
                Line(f"{node.module}.{a.name}", a.asname or a.name, id(node) in for_types)
                for a in node.names
            ]
    return tuple(found)


def imported(path: Path) -> Iterator[str]:
    return (line.path for line in lines(path))


@cache
def handed_out(package: str) -> dict[str, str]:
    """Return what a room hands out, name to dotted path; empty for what is no room."""
    folder = ROOT.joinpath(*package.split("."))
    stub, init = folder / "__init__.pyi", folder / "__init__.py"
    if stub.exists():
        return {
            alias.asname or alias.name: ".".join(
                part for part in (package, node.module, alias.name) if part
            )
            for node in ast.walk(tree(stub))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
    if not init.exists():
        return {}
    return {line.alias: line.path for line in lines(init) if is_below(line.path, package)}


def closed_door(importer: str, path: str) -> str:
    """Return the room that a path enters past its door; "" when it may be imported so.

    Inside a room all is open, its sub-rooms included.
    """
    parts = path.split(".")
    for depth in range(1, len(parts)):
        room = ".".join(parts[:depth])
        names = handed_out(room)
        if names:
            is_open = parts[depth] in names and len(parts) == depth + 1
            return "" if is_open or is_below(importer, room) else room
    return ""


@cache
def known() -> frozenset[str]:
    return frozenset(name_of(path) for path in modules())


def resolve(path: str) -> str:
    """Return the module in which a dotted path ends, lazy names followed; "" for none of ours."""
    parts = path.split(".")
    for depth in range(len(parts), 0, -1):
        module = ".".join(parts[:depth])
        if module not in known():
            continue
        rest = parts[depth : depth + 1]
        inner = handed_out(module).get(rest[0]) if rest else None
        return resolve(inner) if inner and inner != path else module
    return ""


def targets(path: Path) -> set[str]:
    """Return the modules that one needs when it runs, those behind a room's names included."""
    needed = [line for line in lines(path) if not line.types_only]
    found = {resolve(line.path) for line in needed}
    rooms = {line.alias: line.path for line in needed if handed_out(line.path)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            room = rooms.get(node.value.id, "")
            if node.attr in handed_out(room):
                found.add(resolve(f"{room}.{node.attr}"))
    return found - {"", name_of(path)}


def circles(graph: dict[str, set[str]]) -> set[tuple[str, ...]]:
    """Return the strongly connected components of more than one module."""
    reached = {start: _reach(graph, start) for start in graph}
    together = {
        tuple(sorted({one, *(other for other in reached[one] if one in reached.get(other, ()))}))
        for one in graph
    }
    return {each for each in together if len(each) > 1}


def _reach(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for after in graph.get(waiting.pop(), ()):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return seen
