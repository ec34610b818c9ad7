"""Progress of long work, on a terminal."""

from django.core.management.base import OutputWrapper


class Counter:
    """Says on a terminal how many instances have been looked at; elsewhere nothing."""

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out

    def __call__(self, done: int, total: int) -> None:
        if self.out.isatty():
            self.out.write(f"\rInstances looked at: {done} of {total}", ending="\n" if done >= total else "")
            self.out.flush()
