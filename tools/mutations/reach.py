"""A plugin of pytest that writes down which tests enter which function: `-p tools.mutations.reach`.

Our modules are compiled with one line more at the head of each function. What runs in a process
of its own is not seen. At the end a JSON file, named by CERTCTL_REACH, says for each
"path:line of the def" the tests that entered it and how many seconds each takes.
"""

import ast
import builtins
import importlib.machinery
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tools.mutations.source import NOT_OURS

ROOT = Path.cwd()
MARK = "_certctl_reached"

_SECONDS = pytest.StashKey[float]()

_entered: set[str] = set()
_tests: defaultdict[str, dict[str, float]] = defaultdict(dict)


class _Marks(ast.NodeTransformer):
    def __init__(self, path: str) -> None:
        self._path = path

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        mark = ast.parse(f"{MARK}({f'{self._path}:{node.lineno}'!r})").body[0]
        for inner in ast.walk(mark):
            ast.copy_location(inner, node.body[0])
        # Behind the docstring, which would be none otherwise.
        node.body.insert(1 if ast.get_docstring(node) is not None else 0, mark)
        return node


_get_code = importlib.machinery.SourceFileLoader.get_code


def _marked(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
    path = Path(loader.get_filename(name))
    if ROOT not in path.parents or path.relative_to(ROOT).parts[0] in NOT_OURS:
        return _get_code(loader, name)
    tree = ast.parse(path.read_bytes())
    marked = _Marks(path.relative_to(ROOT).as_posix()).visit(tree)
    code: CodeType = compile(marked, str(path), "exec", dont_inherit=True)
    return code


# At once: before any hook is called pytest-django has loaded our apps.
setattr(builtins, MARK, _entered.add)
setattr(importlib.machinery.SourceFileLoader, "get_code", _marked)  # noqa: B010 - no method


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Forget what was entered before the test."""
    _entered.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep what was entered by the test and its fixtures; of what fails nothing can be learnt."""
    report = yield
    if call.when == "teardown":
        spent: float = item.stash[_SECONDS]
        for function in _entered:
            _tests[function][item.nodeid] = round(spent, 2)
    else:
        item.stash[_SECONDS] = item.stash.get(_SECONDS, 0.0) + call.duration
    return report


def pytest_sessionfinish() -> None:
    """Write down what was seen."""
    Path(os.environ["CERTCTL_REACH"]).write_text(json.dumps(_tests), "utf-8")
