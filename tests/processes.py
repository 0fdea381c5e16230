"""Which processes there are, from Linux's process table.

A process or a thread may end between two looks: what is gone has no children and no command.
"""

from pathlib import Path


def descendants(pid: int) -> set[int]:
    """Process ids below `pid`."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        new = children(waiting.pop())
        found |= new
        waiting.extend(new)
    return found


def children(pid: int) -> set[int]:
    """Ids of the processes that the threads of `pid` have started."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return set()
    return {int(child) for thread in threads for child in _read(thread / "children").split()}


def alive(pids: set[int]) -> set[int]:
    """Those that run; one that has ended and that nobody has waited for does not."""
    states = {pid: _read(Path(f"/proc/{pid}/status")) for pid in pids}
    return {pid for pid, status in states.items() if status and "\nState:\tZ" not in status}


def command_line(pid: int) -> str:
    """Its words with blanks between them."""
    return _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
