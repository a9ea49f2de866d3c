"""Start Python programs in separate processes, without half a second of imports for each.

A process that has imported all of rafflekit (`python -m tests.programs SOCKET`) forks itself for each program. The
program then has its own process, environment, streams, exit status and shutdown, and the tests' process is its parent.
It does not have its own command line in `/proc`, and its interpreter does not start or end: tests of these, and of
streams that are closed or full, use `subprocess`.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.waiting import LIMIT_S

_ROOT = Path(__file__).parent.parent
# Granian starts its workers as new interpreters, whatever started it.
_LEFT_OUT = ("rafflekit.http.serving.granian_server", "rafflekit.core.storage.migrations.")
_OTHERS = (
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"),
    *("pydantic", "typer._adapters", "typer.rich_utils", "rich.progress", "rich.traceback"),
)
# Variables that an interpreter reads, or a library while it is imported.
_READ_AT_THE_START = ("PYTHON", "LANG", "LC_", "LD_", "PROMETHEUS_")
_PR_SET_CHILD_SUBREAPER = 36


class Program(subprocess.Popen[Any]):
    """A `subprocess.Popen` that is forked if the command is `sys.executable` with `-m` or `-c`.

    If that is not possible (not on Linux, with variables that an interpreter reads when it starts, with anything else
    that `Popen` can do between fork and exec), it is an ordinary `Popen`. With `terminal`, its standard input becomes
    its controlling terminal.
    """

    def __init__(self, command: Sequence[object], *, terminal: bool = False, **how: Any) -> None:
        self._terminal = terminal
        environment = how.get("env")
        arguments = [os.fspath(part) for part in command]
        self._forks = (
            sys.platform == "linux"
            and arguments[0] == sys.executable
            and arguments[1] in {"-m", "-c"}
            and how.keys() <= {"stdin", "stdout", "stderr", "env", "cwd", "text", "encoding", "bufsize"}
            and _of_the_interpreter(environment or os.environ) == _of_the_interpreter(_starter().environment)
        )
        if terminal and not self._forks:
            how |= {"start_new_session": True, "preexec_fn": _take_the_terminal}
        super().__init__(arguments, **how)

    def _execute_child(self, args: Any, *others: Any) -> None:
        if not self._forks:
            super()._execute_child(args, *others)
            return
        _, _, _, _, cwd, env, _, _, _, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, *_ = others
        streams = [inherited if given == -1 else given for inherited, given in enumerate((p2cread, c2pwrite, errwrite))]
        order = {
            "arguments": args[1:],
            "environment": dict(os.environ if env is None else env),
            "folder": os.fspath(cwd or Path.cwd()),
            "terminal": self._terminal,
        }
        try:
            self.pid = _starter().start(order, streams)
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)
        self._child_created = True


def run(command: Sequence[object], *, check: bool = False, **how: Any) -> subprocess.CompletedProcess[Any]:
    """Run a program to its end, like `subprocess.run` with `capture_output`, an empty input and a time limit."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Program(command, **streams | how) as process:
        try:
            out, err = process.communicate(timeout=LIMIT_S)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


class _Starter:
    """The forking process, as the tests use it."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self._owner = os.getpid()
        self._one_at_a_time = threading.Lock()
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.programs", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=_ROOT,
            )
        atexit.register(self._stop)

    def start(self, order: dict[str, Any], streams: list[int]) -> int:
        """Start a program on these three streams, and return its process id."""
        written = json.dumps(order).encode()
        with self._one_at_a_time:
            # The program is forked twice, so that its parent ends and this process adopts it.
            _adopt_orphans(True)
            try:
                socket.send_fds(self._orders, [len(written).to_bytes(8, "big")], streams)
                self._orders.sendall(written)
                return int.from_bytes(self._orders.recv(8, socket.MSG_WAITALL), "big")
            finally:
                _adopt_orphans(False)

    def _stop(self) -> None:
        if os.getpid() == self._owner:
            self._orders.close()
            self._process.wait(LIMIT_S)


def _starter() -> _Starter:
    return _starter_of(os.getpid())


@cache
def _starter_of(_process: int) -> _Starter:
    # A fork of the tests' process, which mutmut makes, needs its own starter.
    return _Starter()


def _adopt_orphans(really: bool) -> None:
    assert ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(really), 0, 0, 0) == 0


def _of_the_interpreter(environment: Any) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_READ_AT_THE_START) and name != "PYTHONUNBUFFERED"
    }


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _wait_for_orders(orders: socket.socket) -> list[str] | None:
    """Fork for every order. In the child, return what to run; return None after the last order."""
    while True:
        length, streams, _, _ = socket.recv_fds(orders, 8, 3)
        if not length:
            return None
        order = json.loads(orders.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL))
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child != 0:
                os.write(writing, child.to_bytes(8, "big"))
                os._exit(0)
            for inherited in (reading, writing):
                os.close(inherited)
            orders.close()
            return _become(order, streams)
        os.waitpid(between, 0)
        # Only now: until here, the child had another parent.
        orders.sendall(os.read(reading, 8))
        for used in (reading, writing, *streams):
            os.close(used)


def _become(order: dict[str, Any], streams: list[int]) -> list[str]:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if order["terminal"]:
        os.setsid()
        _take_the_terminal()
    os.environ.clear()
    os.environ.update(order["environment"])
    # The C library reads TZ once, when the first local time is asked for.
    time.tzset()
    os.chdir(order["folder"])
    # As the interpreter opens them.
    sys.stdin = sys.__stdin__ = _stream(0, "r", "strict")
    sys.stdout = sys.__stdout__ = _stream(1, "w", "strict")
    sys.stderr = sys.__stderr__ = _stream(2, "w", "backslashreplace")
    arguments: list[str] = order["arguments"]
    return arguments


def _stream(number: int, mode: str, errors: str) -> io.TextIOWrapper:
    is_unbuffered = mode == "w" and bool(os.environ.get("PYTHONUNBUFFERED"))
    binary = open(number, mode + "b", buffering=0 if is_unbuffered else -1, closefd=False)  # noqa: SIM115
    is_prompt = mode == "w" and (number == 2 or binary.isatty())
    newline = None if mode == "r" else "\n"
    return io.TextIOWrapper(
        binary, "utf-8", errors, newline=newline, line_buffering=is_prompt, write_through=is_unbuffered
    )


def _import_everything() -> None:
    import rafflekit

    for module in pkgutil.walk_packages(rafflekit.__path__, "rafflekit."):
        if not module.name.startswith(_LEFT_OUT) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _OTHERS:
        importlib.import_module(name)
    # What is there now stays; children that count references alone would copy it.
    gc.collect()
    gc.freeze()


def _main() -> None:
    orders = socket.socket(fileno=int(sys.argv[1]))
    _import_everything()
    arguments = _wait_for_orders(orders)
    if arguments is None:
        return
    kind, program, *rest = arguments
    try:
        if kind == "-m":
            sys.argv = [program, *rest]
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            sys.argv = ["-c", *rest]
            exec(compile(program, "<string>", "exec"), vars(sys.modules["__main__"]))
    except SystemExit as end:
        # Any other exception ends this interpreter as it would end a new one.
        _leave(end.code)
    _leave(0)


def _leave(code: object) -> None:
    """Do the visible part of an interpreter's exit. Tearing down all modules would take ten times as long."""
    threading._shutdown()
    atexit._run_exitfuncs()
    status = code if isinstance(code, int) else int(code is not None)
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = 120
    os._exit(status & 0xFF)


if __name__ == "__main__":
    _main()
