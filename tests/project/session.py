"""The terminal sessions in the README and the docs: read, run again and compared. To record them again, run

    python -m tests.project.session

The commands stay unchanged. Ids, codes, keys, ticket numbers and times differ from run to run: where a later command
shows one, the value of this run takes its place.

A page can also have files that its reader saves: a block that begins with its language and the file's name
(```` ```csv sold.csv ````). After the comment `<!-- 15 days later -->`, every command runs that much later. Where a
command asks something, the page shows the answer, and the session types it.
"""

import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs import Program

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"

PAGES = (README, DOCS / "a-village-fair.md", DOCS / "lists.md", DOCS / "fairness.md")
"""The pages with a session. Each session starts with an empty folder."""

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_PART = re.compile(
    rf"{_BLOCK.pattern}|```\w+ (?P<file>\S+)\n(?P<text>.*?)```|<!-- (?P<days>\d+) days later -->", re.DOTALL
)
_ASKED = r"(?:\[y/N\]|Type what it gave:|Code of ticket \d+:)"
_ANSWERS = re.compile(rf"{_ASKED} (\S.*)$", re.MULTILINE)
_QUESTION = re.compile(rf"{_ASKED} $".encode())
_WRITTEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\n|[^\x1b\r\n]+")
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CODE = r"(?:[0-9A-Z]{4}-){5}[0-9A-Z]{4}"
_KEY = r"rafflekit\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}"
_SEED = r"\b[0-9a-f]{64}\b"
# The buyers in the docs; who wins differs.
_NAMES = (
    "Ann Miller|Ben Carter|Clara Jones|David Evans|Emma Wood|Frank Baker|Grace Hill|Henry Cook|Iris Webb|Jack Turner|"
    "Kate Moore|Leo Price|Mia Shaw|Noah Reed"
)
_SERVER = re.compile(r"http://127\.0\.0\.1:\d+")
# A row of the winners, or of the queue.
_PLACE = re.compile(r"^│ +\d+ │ +(\d+) │", re.MULTILINE)
# A ticket with its code: in a panel, or in the output of a run over a list.
_TICKET = re.compile(rf"(\d+)(?: of \d+ .*?|,)({_CODE})", re.DOTALL)
_NUMBER = re.compile(r"(rafflekit (?:receipt|forfeit) \"[^\"]*\" |grep ',)(\d+)")
# The same ticket in a question.
_ASKED_TICKET = re.compile(rf"Code of ticket (\d+): ({_CODE})")
_NUMBER_OF_ASKED = re.compile(r"(?<=rafflekit )((?:verify|redeem) \"[^\"]*\") \d+")

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


# Every Python program runs this when it starts: it sets the clock of Python forward.
_LATER = """
import datetime, time
LATER = datetime.timedelta(days={days})
datetime_now, time_now, plain = datetime.datetime.now, time.time, datetime.datetime
class AnyTime(type):
    def __instancecheck__(cls, value):
        return isinstance(value, plain)
class Later(plain, metaclass=AnyTime):
    @classmethod
    def now(cls, zone=None):
        return datetime_now(zone) + LATER
datetime.datetime = Later
time.time = lambda: time_now() + LATER.total_seconds()
"""


@dataclass(frozen=True)
class Step:
    """One command and what it prints."""

    command: str
    output: str


@dataclass(frozen=True)
class SavedFile:
    """A file that the reader of a page saves."""

    name: str
    text: str


@dataclass(frozen=True)
class Wait:
    """Days that pass before the next command."""

    days: int


def parts_of(text: str) -> list[Step | SavedFile | Wait]:
    """Return what happens in a page, in order."""
    parts: list[Step | SavedFile | Wait] = []
    for found in _PART.finditer(text):
        if found["file"] is not None:
            parts.append(SavedFile(found["file"], found["text"]))
        elif found["days"] is not None:
            parts.append(Wait(int(found["days"])))
        else:
            parts += steps_of(found[0])
    return parts


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
    text = re.sub(r"[A-Za-z0-9+/]{40,}=", "BASE64", text)
    text = re.sub(r"(?<=Six words:)( [a-z]{3,8}){6}", " WORDS", text)
    text = re.sub(r"sqlite:////\S+", "DATABASE", text)
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}\b", "ID", text)
    text = re.sub("cinema voucher|warm hug|cake", "PRIZE", text)
    text = re.sub(_NAMES, "NAME", text)
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

    home: Path
    folder: Path = field(init=False)
    programs: Path = field(init=False)
    replaced: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder, self.programs = self.home / "fair", self.home / "programs"
        self.folder.mkdir()
        self.programs.mkdir()
        if shutil.which("curl") is None:
            curl = self.programs / "curl"
            curl.write_text(f"#!{sys.executable}\n{_CURL}")
            curl.chmod(0o755)

    def run(self, step: Step) -> Step:
        """Run a step's command with this run's values; return the step as it was run, with its output."""
        command = _NUMBER.sub(lambda found: found[1] + self.numbers.get(found[2], found[2]), step.command)
        for shown, real in self.replaced.items():
            command = command.replace(shown, real)
        answers = _ANSWERS.findall(step.output)
        if asked := _ASKED_TICKET.search(step.output):
            number, code = self.replaced.get(" ".join(asked.groups()), " ".join(asked.groups())).split()
            command = _NUMBER_OF_ASKED.sub(rf"\1 {number}", command)
            answers[answers.index(asked[2])] = code
        output = self._serve(command) if command.endswith(" &") else self._on_a_terminal(command, answers)
        self._learn(step.output, output)
        return Step(command, output)

    def save(self, file: SavedFile) -> None:
        (self.folder / file.name).write_text(file.text)

    def wait(self, wait: Wait) -> None:
        (self.programs / "sitecustomize.py").write_text(_LATER.format(days=wait.days))

    def end(self) -> None:
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)

    def _on_a_terminal(self, command: str, answers: list[str]) -> str:
        ours, theirs = pty.openpty()
        process = Program(
            _as_started(command),
            stdout=theirs,
            stderr=theirs,
            stdin=theirs if answers else subprocess.DEVNULL,
            cwd=self.folder,
            env=self._environment(),
        )
        os.close(theirs)
        printed = b""
        try:
            while some := os.read(ours, 65536):
                printed += some
                if answers and _QUESTION.search(printed):
                    os.write(ours, f"{answers.pop(0)}\n".encode())
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
        # Python's programs are forked, which is faster, unless their clock has to be set.
        clock = {"PYTHONPATH": str(self.programs)} if (self.programs / "sitecustomize.py").exists() else {}
        return (
            ours
            | clock
            | {
                "PATH": f"{Path(sys.executable).parent}:{self.programs}:{ours['PATH']}",
                "HOME": str(self.home),
                "XDG_DATA_HOME": str(self.home),
                "COLUMNS": "80",
                "TZ": "UTC0",
                "TERM": "xterm",
                "NO_COLOR": "1",
            }
        )

    def _learn(self, shown: str, printed: str) -> None:
        for pattern in (_ID, r'verification_code":"' + _CODE, _KEY, _SERVER):
            for old, new in zip(re.findall(pattern, shown), re.findall(pattern, printed), strict=False):
                self.replaced[old] = new
                if pattern == _ID:
                    self.replaced[old[:8]] = new[:8]
        for old_ticket, new_ticket in zip(_TICKET.findall(shown), _TICKET.findall(printed), strict=False):
            self.replaced[" ".join(old_ticket)] = " ".join(new_ticket)
        self.numbers.update(zip(_PLACE.findall(shown), _PLACE.findall(printed), strict=False))


def _as_started(command: str) -> list[str]:
    """Return the program and the arguments of a command; one that only a shell understands is left to a shell."""
    if command.startswith("rafflekit ") and not re.search(r"[<>|&$;]", command):
        return [sys.executable, "-m", *shlex.split(command)]
    return ["sh", "-c", command.replace("curl ", "curl -s ")]


def ran(page: Path) -> list[Step]:
    """Run the session of a page in a new folder; return its steps with what they printed."""
    with tempfile.TemporaryDirectory() as folder:
        session, steps = Session(Path(folder)), []
        try:
            for part in parts_of(page.read_text()):
                match part:
                    case SavedFile():
                        session.save(part)
                    case Wait():
                        session.wait(part)
                    case Step():
                        steps.append(session.run(part))
        finally:
            session.end()
        return [Step(step.command, _shown(step.output, session)) for step in steps]


def _shown(output: str, session: Session) -> str:
    at_home = output.replace(str(session.folder), "/home/ann/fair")
    return at_home.replace(str(session.home), "/home/ann/.local/share")


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
