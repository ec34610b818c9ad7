"""The folders of the embedded default; only their owner may look inside."""

from pathlib import Path

from django.conf import settings


def make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_all() -> None:
    """VAR_DIR and, for the embedded broker, which expects its folders to be there, those of the broker."""
    make(settings.VAR_DIR)
    if settings.EMBEDDED_BROKER:
        make(settings.BROKER_DIR)
        for name in ("data_folder_in", "control_folder"):
            make(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS[name]))
