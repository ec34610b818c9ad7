"""The folders of the embedded default; only their owner may look inside."""

import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def make(folder: Path) -> None:
    """Raises `ImproperlyConfigured` where it can't be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"VAR_DIR is {settings.VAR_DIR}, where the folder {folder} can't be made: {error.strerror}. "
            "Name a folder that this user may write to."
        ) from error


def make_all() -> None:
    """VAR_DIR and, for the embedded broker, the folder of its messages."""
    make(settings.VAR_DIR)
    if settings.EMBEDDED_BROKER:
        make(settings.BROKER_DIR)
        make(_messages())


def forget_messages() -> None:
    """Delete what a former run left in the embedded broker: however much it is, the next tick says what is due."""
    if settings.EMBEDDED_BROKER:
        with suppress(OSError), os.scandir(_messages()) as left:
            for message in left:
                with suppress(OSError):
                    os.unlink(message)


def _messages() -> Path:
    return Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
