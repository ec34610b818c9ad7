"""Is everything that a lock file names for this machine installed? Exit code 0 if so. Run by .venv's own Python."""

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement


def locked(lock: Path) -> list[Requirement]:
    """The pinned requirements of a lock file, hashes left out."""
    lines = re.sub(r"\\\n", " ", lock.read_text(encoding="utf-8")).splitlines()
    texts = (line.partition(" --hash")[0].strip() for line in lines)
    return [Requirement(text) for text in texts if text and not text.startswith(("#", "-"))]


def is_met(requirement: Requirement) -> bool:
    if requirement.marker and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(not all(is_met(requirement) for requirement in locked(Path(sys.argv[1]))))
