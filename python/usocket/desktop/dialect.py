"""Compiles a module of the program in the dialect that devices understand (DEV-4).

The syntax tree is rewritten where a device takes what CPython refuses; every new node keeps the line and the column of
what it replaces, so that tracebacks, breakpoints and coverage are those of the source.

    bytes % str, bytes + str, str in bytes      an operator becomes a call of runtime.py's
    b.format(), b.startswith(str), e.value      an attribute that CPython's type lacks or has otherwise
    memoryview(str), bytearray(str)             a call that takes more
    except OSError as e, OSError(110)           says "[Errno 110] ETIMEDOUT", and its args are (110,)
    async def                                   is a generator that can be awaited, as on a device; where it has an
                                                async with or async for in it, a coroutine that may yield
    await in def                                what the loop of usocket.desktop.asyncio takes
    await of a generator, yield from of a coroutine
    annotations                                 are not evaluated
    for over a dictionary or a set              goes on where the loop changes it
    const                                       is a builtin; open() is files.py's, hasattr() runtime.py's; the text of
                                                exec(), eval() and compile() is in the dialect
    @micropython.native                         is syntax, the module need not be imported
    ptr8(b), uint(n) in a @micropython.viper    are runtime.py's; so are arguments that are annotated so
"""

from __future__ import annotations
import __future__

import ast
import builtins as cpythons
import copy
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from usocket.desktop import files, runtime


def _evaluating(function: Callable[..., Any], mode: str, builtins: dict[str, Any]) -> Callable[..., Any]:
    """exec() or eval(), whose text is in the dialect, where it is called. Names that have no builtins get these."""

    def call(source: Any, globals: Any = None, locals: Any = None, /) -> Any:
        if isinstance(source, str | bytes | bytearray):
            source = compile_source(source if mode == "exec" else source.strip(), "<string>", mode)
        if globals is None:
            globals, here = names_here(sys._getframe(), builtins)
            locals = here if locals is None else locals
        elif isinstance(globals, dict):
            _give_builtins(globals, builtins)
        return function(source, globals, globals if locals is None else locals)

    call.__name__ = function.__name__
    return call


def names_here(frame: types.FrameType | None, builtins: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The global and the local names of the program's code that has called; those of __main__ for a call that no code
    of the program's makes: a thread's function, atexit's, micropython.schedule()'s.
    """
    while frame is not None and "CALLS_ON_ITS_OWN" not in frame.f_globals:
        if is_spoken_in(frame.f_globals):
            return frame.f_globals, frame.f_locals
        frame = frame.f_back
    main: dict[str, Any] = vars(sys.modules["__main__"])
    names = main if is_spoken_in(main) else {"__name__": "__main__", "__builtins__": builtins}  # pytest's
    return names, names


def _give_builtins(names: dict[str, Any], builtins: dict[str, Any]) -> None:
    """Where the program allows just a few builtins of its choice, what the dialect calls is allowed besides."""
    given = names.setdefault("__builtins__", builtins)
    if given is None:
        given = names["__builtins__"] = {}
    if isinstance(given, dict) and given is not cpythons.__dict__:
        given.update(_CALLED)


def _compile(source: Any, filename: Any, mode: str, flags: int = 0, *rest: Any, **named: Any) -> Any:
    """compile(), in the dialect. Whoever gives flags or a syntax tree knows CPython's, and gets it."""
    if flags or not isinstance(source, str | bytes | bytearray):
        return compile(source, filename, mode, flags, *rest, **named)
    return compile_source(source, filename, mode)


_compile.__name__ = "compile"


# What code in the dialect calls. No program can have a name with a space.
_PREFIX = "usocket "
_CALLED = {_PREFIX + name: function for name, function in runtime.FUNCTIONS.items()}

# What the program's builtins have besides CPython's, or otherwise.
_BUILTINS: dict[str, Any] = {
    "const": runtime.const,
    "open": files.open,
    "hasattr": runtime.hasattr_,
    "compile": _compile,
    **_CALLED,
}


def add_to(builtins: dict[str, Any]) -> None:
    """Makes builtins the program's, that were CPython's."""
    builtins.update(_BUILTINS)
    for function in (exec, eval):
        builtins[function.__name__] = _evaluating(function, function.__name__, builtins)


evaluate = _evaluating(eval, "eval", {})  # of names that are the program's


def is_spoken_in(names: dict[str, Any]) -> bool:
    """Whether these are the names of a module of the program."""
    builtins = names.get("__builtins__")
    return isinstance(builtins, dict) and f"{_PREFIX}add" in builtins


_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "add", ast.Mod: "modulo"}
_ATTRIBUTES = {name: f"{name}_of" for name in ("format", "extend", "startswith", "endswith", "from_bytes")}
_CALLS = {"memoryview", "bytearray"}
_VIPER_TYPES = ("ptr8", "ptr16", "ptr32", "uint")

_Node = TypeVar("_Node", bound=ast.AST)


def compile_source(source: bytes | bytearray | str, filename: str, mode: str = "exec") -> types.CodeType:
    with warnings.catch_warnings():
        for category in (SyntaxWarning, DeprecationWarning):  # of "\d" and the like, which no device minds
            warnings.simplefilter("ignore", category)
        # ast.parse() does no more, but has a line of its own in the traceback of a SyntaxError.
        tree: Any = compile(source, filename, mode, ast.PyCF_ONLY_AST, dont_inherit=True)
        return compile_tree(tree, filename, mode)


def compile_tree(tree: ast.AST, filename: str, mode: str = "exec") -> types.CodeType:
    rewritten: Any = ast.fix_missing_locations(_Rewriter().visit(tree))
    flags = __future__.annotations.compiler_flag
    code: types.CodeType = compile(rewritten, filename, mode, flags, dont_inherit=True)
    return runtime.generators_are_coroutines(code)


class _Rewriter(ast.NodeTransformer):
    def __init__(self) -> None:
        self._is_async = [False]  # of the functions around
        self._errors: list[str] = []  # the names of the except clauses around

    # --- Operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = _OPERATORS.get(type(node.op))
        if name is None or _is_usual(node.left, node.right, name):
            return node
        return _call(node, name, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """`a += b`, a evaluated once: what is added is changed, as only bytes and bytearrays take a str's bytes."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and isinstance(node.target, ast.Name) and not _is_number(node.value):
            value = _call(node.value, "modulo_in_place", _loaded(node.target), node.value)
            return ast.copy_location(ast.Assign([node.target], value), node)
        if isinstance(node.op, ast.Add) and not _is_number(node.value) and _is_plain(node.target):
            node.value = _call(node.value, "addend", _loaded(node.target), node.value)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) > 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
            return node
        container = node.comparators[0]
        if isinstance(container, ast.Tuple | ast.List | ast.Set | ast.Dict):
            return node
        found = _call(node, "contains", container, node.left)
        return found if isinstance(node.ops[0], ast.In) else ast.copy_location(ast.UnaryOp(ast.Not(), found), node)

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.iter, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            node.iter = _call(node.iter, "steps_of", node.iter)
        return node

    # --- Attributes and calls

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        name = _ATTRIBUTES.get(node.attr)
        if node.attr == "value" and isinstance(node.value, ast.Name) and node.value.id in self._errors:
            name = "value_of"
        if name is None or (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
            return node
        return _call(node, name, node.value)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_plain = not node.keywords and not any(isinstance(argument, ast.Starred) for argument in node.args)
        if isinstance(node.func, ast.Name) and node.func.id in _CALLS and is_plain:
            if len(node.args) == 1:
                node.args = [_call(node.args[0], "argument", node.func, *node.args)]
            elif len(node.args) == 2:
                both = _call(node.args[0], "argument_with_encoding", node.func, *node.args)
                node.args = [ast.copy_location(ast.Starred(both, ast.Load()), both)]
        if isinstance(node.func, ast.Name) and node.func.id == "OSError":
            return _call(node, "caught", node)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name is None:
            return self.generic_visit(node)
        self._errors.append(node.name)
        self.generic_visit(node)
        self._errors.pop()
        place = ast.copy_location(ast.Name(node.name, ast.Load()), node)
        node.body.insert(0, ast.copy_location(ast.Expr(_call(place, "caught", place)), node))
        return node

    # --- Coroutines

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._visit_function(node, False)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._visit_function(node, False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """On a device a coroutine is a generator: programs ask for its type, and iterate over it."""
        if _needs_async(node):
            return self._visit_function(node, True)
        parts: dict[str, Any] = {name: getattr(node, name, None) for name in node._fields}
        function = ast.FunctionDef(**parts)
        ast.copy_location(function, node)
        self._visit_function(function, False)
        last = function.body[-1]
        never = ast.If(ast.Constant(False), [ast.Expr(ast.Yield(None))], [])  # for those that never wait
        for part in ast.walk(never):
            ast.copy_location(part, last)
        function.body.append(never)
        return function

    def _visit_function(self, node: _Node, is_async: bool) -> _Node:
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        if any(_is_emitter(decorator, "viper") for decorator in decorators):
            _give_viper_types(node)
        decorators[:] = [decorator for decorator in decorators if not _is_emitter(decorator)]
        self._is_async.append(is_async)
        self.generic_visit(node)
        self._is_async.pop()
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        self.generic_visit(node)
        if not self._is_async[-1]:
            return node
        value = node.value or ast.copy_location(ast.Constant(None), node)
        return ast.copy_location(ast.Await(_call(node, "suspend", value)), node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        self.generic_visit(node)
        return self._awaiting(node, node.value) if self._is_async[-1] else node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        return self._awaiting(node, node.value)

    def _awaiting(self, node: ast.expr, what: ast.expr) -> ast.AST:
        waited = _call(node, "awaitable", what)
        return ast.copy_location(ast.Await(waited) if self._is_async[-1] else ast.YieldFrom(waited), node)


def _call(place: ast.expr, name: str, *arguments: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(_PREFIX + name, ast.Load()), place)
    return ast.copy_location(ast.Call(function, list(arguments), []), place)


def _is_emitter(decorator: ast.expr, *names: str) -> bool:
    """@micropython.native and its like: they choose how code is made, which CPython does in one way."""
    return (
        isinstance(decorator, ast.Attribute)
        and isinstance(decorator.value, ast.Name)
        and decorator.value.id == "micropython"
        and decorator.attr in (names or ("native", "viper", "bytecode"))
    )


def _give_viper_types(function: Any) -> None:
    """In such a function these names are types, and an argument is converted to the one that it is annotated with."""
    arguments = function.args
    for part in [part for statement in function.body for part in ast.walk(statement)]:
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in _VIPER_TYPES:
            part.id = _PREFIX + part.id
    first = function.body[0]
    for argument in reversed([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]):
        kind = argument.annotation
        if isinstance(kind, ast.Name) and kind.id in _VIPER_TYPES:
            name: Any = ast.copy_location(ast.Name(argument.arg, ast.Load()), first)
            target = ast.copy_location(ast.Name(argument.arg, ast.Store()), first)
            converted = ast.Assign([target], _call(name, kind.id, name))
            function.body.insert(0, ast.copy_location(converted, first))


def _needs_async(function: ast.AsyncFunctionDef) -> bool:
    """Whether there is something in it, other than await, that CPython allows in an async function alone."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AsyncWith | ast.AsyncFor):
            return True
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if any(isinstance(part, ast.Await) or getattr(part, "is_async", 0) for part in ast.walk(node)):
                return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _is_plain(target: ast.expr) -> bool:
    """Whether looking at it once more does nothing else: a, a.b, a[0], a.b[c]."""
    if isinstance(target, ast.Subscript):
        return isinstance(target.slice, ast.Name | ast.Constant) and _is_plain(target.value)
    if isinstance(target, ast.Attribute):
        return isinstance(target.value, ast.Name)
    return isinstance(target, ast.Name)


def _loaded(target: Any) -> Any:
    """A copy that is read where the target is written."""
    loaded = copy.deepcopy(target)
    loaded.ctx = ast.Load()
    return loaded


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_usual(left: ast.expr, right: ast.expr, name: str) -> bool:
    """Whether the operands show that CPython's operator does the same."""
    if _is_text(left) or _is_number(left):
        return True
    return name == "add" and _is_number(right)
