"""Find a mutation's text by the symbol it stands in, and replace it: text in, text out."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tools.mutations.table import Mutation

NOT_OURS = {".venv", "var", "tests", "tools"}  # where nothing is mutated


class Stale(Exception):
    """The source no longer says what the table says, or the replacement is no Python."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is and as it would be."""

    path: Path
    before: str
    after: str


def change(root: Path, mutation: Mutation) -> Change:
    """Return the file that `mutation` changes below `root`, before and after; raises Stale."""
    module, _, qualname = mutation.symbol.partition(":")
    path = _path(root, module)
    before = path.read_text("utf-8")
    begin, end = _extent(before, qualname) if qualname else (0, len(before))
    hits = list(pattern_of(mutation.old).finditer(before, begin, end))
    if len(hits) != 1:
        raise Stale(f"stands {len(hits)} times in {mutation.symbol}")
    changed = before[begin : hits[0].start()] + mutation.new + before[hits[0].end() : end]
    if path.suffix == ".py":
        _must_parse(changed, mutation)
    return Change(path, before, before[:begin] + changed + before[end:])


def _path(root: Path, module: str) -> Path:
    if "/" in module:
        candidates = [root / module]
    else:
        base = root.joinpath(*module.split("."))
        candidates = [base.with_name(f"{base.name}.py"), base / "__init__.py"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise Stale(f"there is no {module}")


def pattern_of(text: str) -> re.Pattern[str]:
    """Return what finds a mutation's text: exact, but that lines may break otherwise."""
    words = [re.escape(word) for word in text.split()]
    if not words:
        raise Stale("the text to be replaced is empty")
    return re.compile(r"\s+".join(words))


@lru_cache(maxsize=256)
def parsed(source: str) -> ast.Module:
    """Return a module's syntax; many mutations stand in each."""
    return ast.parse(source)


def _extent(source: str, qualname: str) -> tuple[int, int]:
    """Return from where to where a function, class or assigned name stands, decorators too."""
    body: list[ast.stmt] = parsed(source).body
    node: ast.stmt | None = None
    for name in qualname.split("."):
        named = [s for s in _statements(body) if name in _names(s)]
        if len(named) != 1:
            raise Stale(f"{qualname} is defined {len(named)} times")
        node = named[0]
        body = getattr(node, "body", [])
    assert node is not None  # noqa: S101 - split() gives at least one name
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    lines = source.splitlines(keepends=True)
    begin = sum(len(line) for line in lines[: first - 1])
    return begin, begin + sum(len(line) for line in lines[first - 1 : node.end_lineno])


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of one name space, those under `if`, `try` and `with` too."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, part, []))


def _names(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _must_parse(source: str, mutation: Mutation) -> None:
    # A method stands indented, and a dedent would change the strings in it.
    head = "if True:\n" if source.startswith((" ", "\t")) else ""
    try:
        ast.parse(head + source)
    except SyntaxError as error:
        raise Stale(f"what replaces it in {mutation.symbol} is no Python: {error}") from None


def sources(root: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield the module, the path and the text of each Python file that may be mutated."""
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in NOT_OURS:
            for path in sorted(folder.rglob("*.py")):
                module = ".".join(path.relative_to(root).with_suffix("").parts)
                yield module.removesuffix(".__init__"), path, path.read_text("utf-8")


def check_tests(root: Path, mutation: Mutation) -> None:
    """Raise Stale where a test of the mutation is not there: no file, or no such function."""
    missing = [test for test in mutation.tests if not _has(root, test)]
    if missing:
        raise Stale(f"there is no {', '.join(missing)}")


def _has(root: Path, test: str) -> bool:
    file, *names = test.partition("[")[0].split("::")
    if not (root / file).is_file():
        return False
    try:
        _extent((root / file).read_text("utf-8"), ".".join(names)) if names else None
    except Stale:
        return False
    return True
