"""How long is left for the whole of something."""

import time
from collections.abc import Callable


class Deadline:
    """A moment by which all of an exchange must be over, whatever it consists of."""

    def __init__(self, seconds: float, *, spent: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`spent`: how many of the seconds are over already."""
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds - spent

    @property
    def is_over(self) -> bool:
        return self._clock() >= self._end

    def remaining(self) -> float:
        """Seconds left, more than 0; raises TimeoutError once there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError
        return left
