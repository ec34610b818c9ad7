"""The folders of the embedded default; only their owner may look inside."""

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
    """VAR_DIR and, for the embedded broker, which expects its folders to be there, those of the broker."""
    make(settings.VAR_DIR)
    if settings.EMBEDDED_BROKER:
        make(settings.BROKER_DIR)
        for name in ("data_folder_in", "control_folder"):
            make(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS[name]))
