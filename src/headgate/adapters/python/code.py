"""The user's file: found, run under a private name, and its failures told by file and line, never by value."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any

from headgate.core.errors import PASSING, AdapterError, HeadgateError, Location, ProjectError, nearest

_numbers = itertools.count(1)
INSTALLED = frozenset(("site-packages", "dist-packages"))
"""Folders of what was installed, which may stand inside of a project."""
_surroundings = threading.RLock()
"""Module names, import path and standard output, which `Code.running` changes."""


class Code:
    """One file of the project. It is run when a function of it is first asked for, and anew by every new `Code`.

    While it runs, its folder is importable, and what it prints goes to standard error. Modules that it imports from its
    folder are its own: another source may have modules of the same name in another folder. `also`: folders that are
    importable, too, behind everything that is installed.
    """

    def __init__(self, root: Path, file: str, also: tuple[Path, ...] = ()) -> None:
        self.file = file
        self._also = tuple(one.resolve() for one in also)
        self.path = (root / file).resolve()
        self._root = root.resolve()
        self._module: ModuleType | None = None
        self._own: dict[str, ModuleType] = {}

    def function(self, name: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
        """The function; it may name any of `parameters`. *Errors*: ProjectError, AdapterError as `loaded`,
        `unknown-function`, `bad-function`."""
        found = self.named(name, "function")
        self._fits(name, found, parameters)
        return found  # type: ignore[no-any-return]

    def named(self, name: str, noun: str) -> Any:
        """What the file calls so; `noun` is what it ought to be. *Errors*: as `loaded`; ProjectError
        `unknown-function`."""
        module = self.loaded()
        found = getattr(module, name, None)
        if found is None:
            known = [one for one, value in vars(module).items() if callable(value) and not one.startswith("_")]
            what = f"{self.file} has no {noun} {name!r}{nearest(name, known)}"
            raise ProjectError.of("unknown-function", what, self.file, "correct its name after the colon")
        return found

    def judge(self, name: str) -> Callable[[Any], Any]:
        """The function, which takes one argument. *Errors*: as `function`."""
        found = self.named(name, "function")
        self._callable(name, found)
        try:
            inspect.signature(found).bind(None)
        except TypeError:
            what = f"{name!r} does not take one argument"
            raise ProjectError.of("bad-function", what, self.line_of(found), f"write def {name}(record):") from None
        except ValueError:  # of a callable that is not written in Python
            pass
        return found  # type: ignore[no-any-return]

    def fingerprint(self) -> str:
        """A digest of the file's text; "" where it can't be read, which `loaded` tells."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]
        except OSError:
            return ""

    def again(self) -> Code:
        """The same file, not run yet."""
        return Code(self._root, self.file, self._also)

    def __deepcopy__(self, memo: object) -> Code:
        return self  # modules can't be copied, and a copy would be run anew

    def _fits(self, name: str, found: Any, parameters: tuple[str, ...]) -> None:
        self._callable(name, found)
        where = self.line_of(found)
        for one in _parameters(found):
            needed = one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
            if needed and (one.name not in parameters or one.kind is one.POSITIONAL_ONLY):
                takes = " and ".join(parameters) or "none"
                what = f"{name!r} has a parameter {one.name!r} that nobody gives it{nearest(one.name, parameters)}"
                raise ProjectError.of("bad-function", what, where, f"parameters are given by name: {takes}")

    def _callable(self, name: str, found: Any) -> None:
        where = self.line_of(found)
        if not callable(found):
            raise ProjectError.of("bad-function", f"{name!r} is no function", where, "write def " + name + "(...)")
        if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
            fix = "write def instead of async def; run what is asynchronous inside, with asyncio.run"
            raise ProjectError.of("bad-function", f"{name!r} is asynchronous", where, fix)

    def loaded(self) -> ModuleType:
        """The module. *Errors*: ProjectError `python-file`, `path-escapes`."""
        if self._module is None:
            self._module = self._run()
        return self._module

    def _run(self) -> ModuleType:
        if not self.path.is_relative_to(self._root):
            what = f"{self.file!r} leaves the project folder"
            raise ProjectError.of("path-escapes", what, self.file, "put the file inside the project folder")
        try:
            source = self.path.read_bytes()
            made = compile(source, str(self.path), "exec", dont_inherit=True)
        except OSError as error:
            what = f"the file can't be read: {error.strerror}"
            fix = "correct the path: it is relative to the project folder"
            raise ProjectError.of("python-file", what, self.file, fix) from error
        except (SyntaxError, ValueError) as error:
            raise self._no_python(error) from error
        linecache.checkcache(str(self.path))
        module = ModuleType(f"_headgate_source_{next(_numbers)}_{self.path.stem}")
        module.__file__ = str(self.path)
        sys.modules[module.__name__] = module  # dataclasses and others look their module up
        try:
            with self.running():
                exec(made, module.__dict__)  # noqa: S102  # it is the user's own file
        except (Exception, SystemExit) as error:
            del sys.modules[module.__name__]
            raise self._failed_import(error) from error
        return module

    def _no_python(self, error: Exception) -> HeadgateError:
        line, column = getattr(error, "lineno", None) or 0, getattr(error, "offset", None) or 0
        said = getattr(error, "msg", None) or "the file can't be compiled"
        where = Location(self.file, line, max(column, 0))
        return ProjectError.of("python-file", f"this is not Python: {said}", where, "mend the file")

    def _failed_import(self, error: BaseException) -> HeadgateError:
        said = f": {error}" if isinstance(error, ImportError) else ""
        what = f"the file can't be imported: {type(error).__name__}{said}"
        fix = "install what it imports, or mend it" if isinstance(error, ImportError) else "mend it"
        return ProjectError.of("python-file", what, self.place_of(error), fix)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The surroundings in which code of the file runs. They are the process's: one thread at a time has them."""
        with _surroundings, self._alone():
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = str(self.path.parent)
        before = set(sys.modules)
        shared = {name: sys.modules[name] for name in self._own if name in sys.modules}
        sys.modules.update(self._own)
        path, keeps = list(sys.path), sys.dont_write_bytecode
        sys.path[:] = [folder, *path, *(str(one) for one in self._also)]
        sys.dont_write_bytecode = True  # compiled code is told from stale one by whole seconds only
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            sys.path[:], sys.dont_write_bytecode = path, keeps
            self._own |= {name: sys.modules[name] for name in set(sys.modules) - before if self._is_own(name)}
            for name in self._own:
                sys.modules.pop(name, None)
            sys.modules.update(shared)

    def _is_own(self, name: str) -> bool:
        """Whether the module stands in one of these folders, and was not installed there."""
        module = sys.modules[name]
        places = getattr(module, "__path__", ())  # a folder without __init__.py has no file
        place = getattr(module, "__file__", None) or next(iter(places), None)
        if not isinstance(place, str):
            return False
        inside = [Path(place).relative_to(one) for one in (self.path.parent, *self._also) if _within(place, one)]
        return any(not INSTALLED & set(one.parts) for one in inside)

    def call(self, function: Callable[..., Any], given: dict[str, Any]) -> Any:
        """What the function gives for those of `given` that it names. *Errors*: AdapterError `source-raised`."""
        try:
            return function(**self.wanted(function, given))
        except (Exception, SystemExit) as error:
            raise self.raised(function, error) from error

    def wanted(self, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
        """Those of `given` that the function names; all, where it takes any."""
        wanted = _parameters(function)
        every = any(one.kind is one.VAR_KEYWORD for one in wanted)
        names = {one.name for one in wanted}
        return {name: value for name, value in given.items() if every or name in names}

    def raised(self, function: Callable[..., Any], error: BaseException) -> HeadgateError:
        """The finding for an exception of the user's code: its type and its line."""
        if isinstance(error, PASSING):
            return self.passing(function, error)
        what = f"{self.name_of(function)} raised {type(error).__name__}; what was committed before stays"
        fix = "mend it and run again (HEADGATE_DEBUG=1 shows the traceback)"
        return AdapterError.of("source-raised", what, self.place_of(error, function), fix)

    def passing(self, function: Callable[..., Any], error: BaseException) -> HeadgateError:
        """The same for one that may be gone in a moment: it is about no record, and worth another try."""
        what = f"{self.name_of(function)} raised {type(error).__name__}, which may pass; what was committed stays"
        fix = "run again, or have it tried again: retries: {attempts: 3, wait: 1s}"
        made = AdapterError.of("transient-error", what, self.place_of(error, function), fix)
        made.__cause__ = error
        return made

    def name_of(self, function: Callable[..., Any]) -> str:
        return f"{getattr(function, '__name__', 'the function')}() of {self.file}"

    def line_of(self, function: object) -> Location:
        """Where the function is written."""
        made = getattr(inspect.unwrap(function) if callable(function) else function, "__code__", None)
        mine = made is not None and made.co_filename == str(self.path)
        return Location(self.file, made.co_firstlineno) if mine else Location(self.file)  # type: ignore[union-attr]

    def place_of(self, error: BaseException, function: object = None) -> Location:
        """The innermost line of the user's file that the exception went through; else that of the function."""
        inside = [line for frame, line in frames(error.__traceback__) if frame.f_code.co_filename == str(self.path)]
        return Location(self.file, inside[-1]) if inside else self.line_of(function)


def _within(place: str, folder: Path) -> bool:
    return Path(place).is_relative_to(folder)


def frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Every frame that an exception went through, outermost first, with its line."""
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of a callable that is not written in Python
        return []
