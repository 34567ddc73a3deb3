"""After a refactoring: name anew what only moved, and list what somebody must look at."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tools.mutations.source import Stale, change, check_tests, parsed, pattern_of, sources
from tools.mutations.table import Mutation


def relocate(root: Path, folder: Path, mutations: list[Mutation]) -> Iterator[str]:
    """Write new symbols and tests into the table in `folder`; yield a line on each mutation.

    A text that stands in one symbol only, or in one only of the name that it was in, has moved
    there; a test has moved where one of its name is. Everything else is for people.
    """
    for mutation in mutations:
        try:
            moved = _moved(root, mutation)
        except Stale as error:
            yield f"{mutation.id}: {error}"
            continue
        if moved != mutation:
            _rewrite(folder, mutation, moved)
            yield f"{mutation.id} moved to {moved.symbol}, {', '.join(moved.tests)}"


def _moved(root: Path, mutation: Mutation) -> Mutation:
    try:
        change(root, mutation)
        symbol = mutation.symbol
    except Stale:
        symbol = _symbol_now(root, mutation)
    moved = replace(
        mutation, symbol=symbol, tests=tuple(_test_now(root, test) for test in mutation.tests)
    )
    change(root, moved)
    check_tests(root, moved)
    return moved


def _symbol_now(root: Path, mutation: Mutation) -> str:
    counts = Counter(
        f"{module}:{_enclosing(source, hit.start())}".rstrip(":")
        for module, _, source in sources(root)
        for hit in pattern_of(mutation.old).finditer(source)
    )
    once = [symbol for symbol, count in counts.items() if count == 1]
    before = mutation.symbol.partition(":")[2]
    whole = [one for one in once if f"{one.partition(':')[2]}.".startswith(f"{before}.")]
    last = [one for one in once if one.rpartition(".")[2] == before.rpartition(".")[2]]
    for candidates in (whole, last, once):
        if len(candidates) == 1:
            return candidates[0]
    some = (whole or last or once)[:5]
    known = f"it may be in {', '.join(some)}" if some else "its text is nowhere"
    raise Stale(f"was in {mutation.symbol}; {known}")


def _enclosing(source: str, place: int) -> str:
    """Return the qualified name of the function, class or constant around a place; "" for none."""
    line = source.count("\n", 0, place) + 1
    names: list[str] = []
    body: list[ast.stmt] = parsed(source).body
    while True:
        around = [s for s in body if s.lineno <= line <= (s.end_lineno or s.lineno)]
        decorated = [
            s
            for s in body
            if isinstance(s, ast.ClassDef | ast.FunctionDef)
            and s.decorator_list
            and s.decorator_list[0].lineno <= line < s.lineno
        ]
        match (decorated + around)[:1]:
            case [ast.ClassDef(name=name, body=inner)]:
                names.append(name)
                body = inner
            case [ast.FunctionDef(name=name)] | [
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name))
            ]:
                return ".".join([*names, name])
            case _:
                return ".".join(names)


def _test_now(root: Path, test: str) -> str:
    file, _, name = test.partition("::")
    function = name.partition("[")[0]
    if (root / file).is_file() and f"def {function}(" in (root / file).read_text("utf-8"):
        return test
    homes = [
        path
        for path in sorted((root / "tests").rglob("test_*.py"))
        if f"def {function}(" in path.read_text("utf-8")
    ]
    if len(homes) != 1:
        raise Stale(f"{test} is found in {len(homes)} files")
    return f"{homes[0].relative_to(root).as_posix()}::{name}"


def _rewrite(folder: Path, mutation: Mutation, moved: Mutation) -> None:
    for file in folder.glob("*.toml"):
        text = file.read_text("utf-8")
        begin = text.find(f'["{mutation.id}"]\n')
        if begin < 0:
            continue
        end = text.find('\n["', begin)
        entry = text[begin : end if end > 0 else len(text)]
        fresh = entry.replace(f'symbol = "{mutation.symbol}"', f'symbol = "{moved.symbol}"')
        for before, after in zip(mutation.tests, moved.tests, strict=True):
            fresh = fresh.replace(f'"{before}"', f'"{after}"')
        file.write_text(text.replace(entry, fresh), "utf-8")
