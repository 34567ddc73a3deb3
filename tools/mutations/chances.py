"""Every small change that could be made to a module at random: text in, changes out."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
LEAVES = (ast.Return, ast.Raise, ast.Continue)
UNCHANGED = {"annotation", "returns", "decorator_list", "bases", "type_params"}
# Words for people, which no test holds to the letter.
WORDS = {"logger", "logging", "help_text", "verbose_name", "label", "exc_info", "extra"}


@dataclass(frozen=True, slots=True)
class Chance:
    """One change that could be made: where, to what, and within which function.

    `begin` and `end` are offsets into the module's UTF-8; `function` is the line of the `def`
    around it, 0 where there is none.
    """

    kind: str
    line: int
    begin: int
    end: int
    new: str
    function: int

    def made(self, source: str) -> str:
        """Return the module with this change made."""
        raw = source.encode()
        return (raw[: self.begin] + self.new.encode() + raw[self.end :]).decode()


def chances(source: str) -> list[Chance]:
    """Return every change that could be made to a module, in its order."""
    return list(_Looker(source).look())


class _Looker:
    def __init__(self, source: str) -> None:
        self._tree = ast.parse(source)
        lengths = [len(line) for line in source.encode().splitlines(keepends=True)]
        self._starts = [0]
        for length in lengths:
            self._starts.append(self._starts[-1] + length)

    def look(self) -> Iterator[Chance]:
        yield from self._below(self._tree, 0)

    def _below(self, node: ast.AST, function: int) -> Iterator[Chance]:
        for child in _looked_at(node, function):
            inner = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = child.lineno
            yield from self._here(child, function)
            yield from self._below(child, inner)

    def _here(self, node: ast.AST, function: int) -> Iterator[Chance]:
        for kind, place, new in _others(node):
            if function or kind == "constant":
                begin, end = self._extent(place)
                yield Chance(kind, place.lineno, begin, end, new, function)

    def _extent(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None  # noqa: S101 - the parser sets both
        assert node.end_col_offset is not None  # noqa: S101
        begin = self._starts[node.lineno - 1] + node.col_offset
        return begin, self._starts[node.end_lineno - 1] + node.end_col_offset


def _looked_at(node: ast.AST, function: int) -> Iterator[ast.AST]:
    """Yield the children in which something may change: no annotations and no words."""
    for name, value in ast.iter_fields(node):
        if name in UNCHANGED:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_words(child):
                continue
            # Outside of functions only what is named in capitals: the rest declares.
            declares = isinstance(child, ast.Assign | ast.AnnAssign | ast.Expr)
            if function or not declares or _is_constant(child):
                yield child


def _is_constant(statement: ast.AST) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name.isupper()
    return False


def _is_words(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in WORDS
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.keyword(arg=name):
            return name in WORDS
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _others(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """Yield what could be changed about a node: its kind, what is replaced, and by what."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            yield from ((kind, node, new) for kind, new in _conditions(node))
        case ast.Constant(value=bool(value)):
            yield "constant", node, str(not value)
        case ast.Constant(value=int(value)):
            yield "constant", node, str(value + 1)
        case ast.Call():
            yield from (("keyword", node, new) for new in _calls(node))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "returned", value, "None"
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield "statement", node, "pass"
        case ast.If(test=test, body=body, orelse=[]) if isinstance(body[-1], LEAVES):
            yield "guard", test, "False"


def _conditions(node: ast.expr) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for kind, table in (("flipped", FLIPPED), ("boundary", BOUNDARIES)):
                if type(op) in table:
                    yield kind, _text(ast.Compare(left, [table[type(op)]()], [right]))
        case ast.BoolOp(op=op, values=values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "and/or", _text(ast.BoolOp(other, values))
        case ast.UnaryOp(operand=operand):
            yield "not", _text(operand)


def _calls(node: ast.Call) -> Iterator[str]:
    """Yield the call without each of its keyword arguments."""
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None and keyword.arg not in WORDS:
            fewer = node.keywords[:number] + node.keywords[number + 1 :]
            yield _text(ast.Call(node.func, node.args, fewer))


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"
