"""What a new child process does first, so that it never outlives its parent.

`python -m workers.runtime.child_process SIGNAL PARENT COMMAND...` does it and becomes the command:
a process with threads may start such a child, while a function that runs between fork and exec
(`preexec_fn`) may hang on another thread's lock.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def die_with_parent(how: signal.Signals, parent: int | None = None) -> None:
    """Run in a new child: Linux sends it `how` when its parent dies; elsewhere nothing happens.

    Args:
        how: the signal.
        parent: the parent's process id; None takes whoever is the parent now.
    """
    if sys.platform == "linux":
        parent = parent or os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:
            os._exit(1)


def dying_with_parent(how: signal.Signals, command: Sequence[str]) -> list[str]:
    """The command for a child that gets `how` when the thread that starts it, or we, end."""
    return [sys.executable, "-m", __name__, how.name, str(os.getpid()), *command]


if __name__ == "__main__":
    die_with_parent(signal.Signals[sys.argv[1]], int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
