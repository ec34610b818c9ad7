"""Files as the broker of the embedded default, for processes that outlive whatever becomes of the folder.

kombu's own ends a worker with a message that is empty or no JSON, which a full disk or a writer caught half-way leaves,
moves every message through the system's temporary folder, never makes a folder again that somebody deleted, and looks
through all of the folder for each message. Here a message is renamed into place when it is whole, and one that can't
be read is thrown away: messages carry nothing, and the database is the truth.
"""

import logging
import os
import time
from collections import defaultdict, deque
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

DRAFT = ".draft"


class Channel(virtual.Channel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        connection: Any = self.connection
        options = connection.client.transport_options
        self._source, self._target = Path(options["data_folder_in"]), Path(options["data_folder_out"])
        # By queue: what the folder held when it was last looked through, oldest first.
        self._seen: defaultdict[str, deque[str]] = defaultdict(deque)
        self._is_blind = False

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        name = f"{time.time_ns():020}_{uuid4()}"
        draft = self._target / f"{name}{DRAFT}"
        try:
            with suppress(FileExistsError):
                self._target.mkdir(mode=0o700, parents=True)
            try:
                draft.write_text(dumps(message))
                draft.rename(self._target / f"{name}.{queue}.msg")
            except OSError:
                with suppress(OSError):
                    draft.unlink()
                raise
        except OSError as error:
            raise ChannelError(f"No message can be left in {self._target}: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message; raises Empty. Of several processes that ask, the one gets it that removes its file."""
        seen = self._seen[queue] or self._look(queue)
        while seen:
            file = self._source / seen.popleft()
            try:
                written = file.read_bytes()
                file.unlink()
            except FileNotFoundError:
                continue  # another was quicker
            except OSError as error:
                self._complain(f"{file} can't be read or removed: {error.strerror}")
                continue
            if (payload := self._read(written)) is not None:
                return payload
            logger.warning("%s was no message, or not a whole one, and was thrown away.", file)
        raise Empty

    def _read(self, written: bytes) -> Any:
        """A message as kombu hands it on; None for what it, or Celery, would fail over."""
        try:
            payload = loads(written)
            message = self.Message(payload, channel=self)
        except Exception:  # whatever it holds must not end who reads it
            return None
        told = isinstance(message.headers, dict) and isinstance(message.delivery_info, dict)
        return payload if told and isinstance(message.delivery_tag, str) else None

    def _look(self, queue: str) -> deque[str]:
        try:
            names = self._names(queue)
        except FileNotFoundError:
            names = []  # whoever writes makes it again
        except OSError as error:
            self._complain(f"{self._source} can't be read: {error.strerror}")
            names = []
        else:
            self._is_blind = self._is_blind and bool(names)
        self._seen[queue] = deque(sorted(names))
        return self._seen[queue]

    def _size(self, queue: str) -> int:
        with suppress(OSError):
            return len(self._names(queue))
        return 0

    def _purge(self, queue: str) -> int:
        count = 0
        with suppress(Empty):
            while True:
                self._get(queue)
                count += 1
        return count

    def _names(self, queue: str) -> list[str]:
        return [name for name in os.listdir(self._source) if name.partition(".")[2] == f"{queue}.msg"]

    def _complain(self, trouble: str) -> None:
        if not self._is_blind:
            logger.error(
                "%s. No work is taken up from there until it can be; give it to the user that runs this.", trouble
            )
        self._is_blind = True


class Transport(virtual.Transport):
    Channel = Channel
    # Which queue gets what, every process declares for itself, once for all of its connections.
    global_state = virtual.BrokerState()
    driver_type = driver_name = "filesystem"
    default_port = 0

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = self.global_state

    def driver_version(self) -> str:
        return "N/A"
