"""The terminal sessions in the README and the docs: read, run again and compared. To record them again, run

    python -m tests.project.session

The commands stay unchanged. Ids, codes, keys, ticket numbers and times differ from run to run: where a later command
shows one, the value of this run takes its place.
"""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"

PAGES = (README, DOCS / "lists.md", DOCS / "fairness.md")
"""The pages with a session. Each session starts with an empty folder."""

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_WRITTEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\n|[^\x1b\r\n]+")
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CODE = r"(?:[0-9A-Z]{4}-){5}[0-9A-Z]{4}"
_KEY = r"rafflekit\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}"
_SEED = r"\b[0-9a-f]{64}\b"
_SERVER = re.compile(r"http://127\.0\.0\.1:\d+")


# As much of curl as the docs show, for machines that have Python and make only.
_CURL = """
import sys, urllib.error, urllib.request
method = "POST" if "POST" in sys.argv else "GET"
try:
    answer = urllib.request.urlopen(urllib.request.Request(sys.argv[-1], method=method))
except urllib.error.HTTPError as error:
    answer = error
with answer:
    print(answer.read().decode())
"""


@dataclass(frozen=True)
class Step:
    """One command and what it prints."""

    command: str
    output: str


def steps_of(text: str) -> list[Step]:
    """Return the steps of all console blocks of a text, in their order."""
    shown = "".join(_BLOCK.findall(text))
    return [
        Step(command, output)
        for command, _, output in (part.partition("\n") for part in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:])
    ]


def normalised(output: str) -> str:
    """Return the words of an output, without what differs from run to run."""
    text = re.sub(_ID, "ID", shortened(output))
    text = re.sub(_CODE, "CODE", text)
    text = re.sub(_KEY, "KEY", text)
    text = re.sub(_SEED, "SEED", text)
    text = re.sub(r"sqlite:////\S+", "DATABASE", text)
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}\b", "ID", text)
    text = re.sub("cinema voucher|warm hug", "PRIZE", text)
    return " ".join(re.sub(r"\d+", "N", re.sub(r"[─│╭╮╰╯┬┴├┤┼]+", " ", text)).split())


def shortened(output: str) -> str:
    """Return an output with its receipts, which are long, as the docs show them."""
    return re.sub(r'"receipt":\{.*?"checkpoint":"[^"]*"\}', '"receipt":{…}', output)


def left_on_a_terminal(written: str) -> str:
    """Return the text that a terminal shows in the end: progress bars are erased by then."""
    lines, row = [""], 0
    for part in _WRITTEN.findall(written):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.startswith("\x1b"):
            # Upwards; everything else is colour or the cursor's look.
            row -= int(part[2:-1]) if part.endswith("A") else 0
        else:
            lines[row] += part
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n" * any(lines)


@dataclass
class Session:
    """A user's terminal of 80 columns in a new folder; `end` stops what runs in the background."""

    folder: Path
    programs: Path = field(init=False)
    replaced: dict[str, str] = field(default_factory=dict)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        if shutil.which("curl") is None:
            curl = self.programs / "curl"
            curl.write_text(f"#!{sys.executable}\n{_CURL}")
            curl.chmod(0o755)

    def run(self, step: Step) -> Step:
        """Run a step's command with this run's values; return the step as it was run, with its output."""
        command = step.command
        for shown, real in self.replaced.items():
            command = command.replace(shown, real)
        output = self._serve(command) if command.endswith(" &") else self._on_a_terminal(command)
        self._learn(step.output, output, step.command)
        return Step(command, output)

    def end(self) -> None:
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)

    def _on_a_terminal(self, command: str) -> str:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["sh", "-c", command.replace("curl ", "curl -s ")],
            stdout=theirs,
            stderr=theirs,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self._environment(),
        )
        os.close(theirs)
        printed = b""
        try:
            while some := os.read(ours, 65536):
                printed += some
        except OSError:
            # Linux says "input/output error" when the last writer of a pty is gone.
            pass
        os.close(ours)
        process.wait()
        return left_on_a_terminal(printed.decode())

    def _serve(self, command: str) -> str:
        # On a free port, whatever the page says.
        command = "exec env " + command.removesuffix(" &") + " --port 0"
        server = subprocess.Popen(
            ["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment()
        )
        self.servers.append(server)
        assert server.stdout is not None
        printed = ""
        while not _SERVER.search(printed) and (line := server.stdout.readline()):
            printed += line.decode()
        return printed

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("RAFFLEKIT", "MANAGER"))}
        return ours | {
            "PATH": f"{Path(sys.executable).parent}:{self.programs}:{ours['PATH']}",
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder),
            "COLUMNS": "80",
            "TERM": "xterm",
            "NO_COLOR": "1",
        }

    def _learn(self, shown: str, printed: str, command: str) -> None:
        for pattern in (_ID, r'verification_code":"' + _CODE, _KEY, _SERVER):
            for old, new in zip(re.findall(pattern, shown), re.findall(pattern, printed), strict=False):
                self.replaced[old] = new
                if pattern == _ID:
                    self.replaced[old[:8]] = new[:8]
        # The first ticket is the one that is verified in the end, by its number and code.
        if "participate" in command and (old_ticket := _ticket(shown)) and (new_ticket := _ticket(printed)):
            self.replaced.setdefault(old_ticket, new_ticket)


def _ticket(output: str) -> str | None:
    found = re.search(rf"Number\s+(\d+) of.*?({_CODE})", output, re.DOTALL)
    return f"{found[1]} {found[2]}" if found else None


def ran(page: Path) -> list[Step]:
    """Run the session of a page in a new folder; return its steps with what they printed."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        try:
            steps = [session.run(step) for step in steps_of(page.read_text())]
        finally:
            session.end()
        return [Step(step.command, step.output.replace(folder, "/home/ann/.local/share")) for step in steps]


def record(page: Path) -> None:
    """Run the session of a page and write down what it printed."""
    numbered = iter(ran(page))

    def again(block: re.Match[str]) -> str:
        count = len(re.findall(r"^\$ ", block[1], flags=re.MULTILINE))
        return (
            "```console\n"
            + "".join(f"$ {s.command}\n{shortened(s.output)}" for s in (next(numbered) for _ in range(count)))
            + "```"
        )

    written = _BLOCK.sub(again, page.read_text())
    page.write_text(_SERVER.sub("http://127.0.0.1:8080", written))


if __name__ == "__main__":
    from tests.project.picture import PICTURE, picture_of

    for each in PAGES:
        record(each)
    PICTURE.write_text(picture_of(steps_of(README.read_text())))
