"""Run a Python module as a child that ends when its supervisor does, even one that was killed.

`python -m config.lifeline DESCRIPTOR MODULE ARGUMENTS…`: the descriptor is the reading end of a pipe whose writing
end only the supervisor holds. The operating system closes that end however the supervisor dies, which is when the
read returns. Unlike Linux's PR_SET_PDEATHSIG it works everywhere.
"""

import os
import runpy
import signal
import sys
import threading
import time

GRACE = 8  # seconds to end by oneself


def end_with_supervisor(descriptor: int) -> None:
    """Wait until the other end of the pipe closes, then end this process, and at last its whole group."""
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    descriptor, module, *arguments = sys.argv[1:]
    threading.Thread(target=end_with_supervisor, args=(int(descriptor),), name="lifeline", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
