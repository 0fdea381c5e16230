"""What a new child process does first, so that it never outlives its parent."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(how: signal.Signals) -> None:
    """Run in a new child: Linux sends it `how` when its parent dies; elsewhere nothing happens."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:
            os._exit(1)
