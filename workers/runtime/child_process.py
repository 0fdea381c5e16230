"""What a new child process does first, so that it never outlives its parent.

A forked child calls `die_with_parent`; a program of its own is started by `tied`, which needs no
code between fork and exec and so may be used while other threads run.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def die_with_parent(how: signal.Signals, parent: int | None = None) -> None:
    """Linux sends this process `how` when its parent dies; elsewhere nothing happens.

    To Linux, the parent is the thread that started this process.

    Args:
        how: the signal.
        parent: the parent's process id, if it may be dead already; else the one that it now has.
    """
    if sys.platform == "linux":
        parent = parent or os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:
            os._exit(1)


def tied(command: Sequence[str], how: signal.Signals) -> list[str]:
    """The command line by which `command` runs as a child of this process that dies with it."""
    # By its path and without site packages: it starts in a moment, whatever folder this is.
    return [sys.executable, "-I", "-S", __file__, how.name, str(os.getpid()), *command]


if __name__ == "__main__":
    signal_name, parent_pid, *program = sys.argv[1:]
    die_with_parent(signal.Signals[signal_name], int(parent_pid))
    os.execvp(program[0], program)
