"""An installed Chromium or Chrome for the tests that drive a browser."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BUNDLES = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
REMEDY = "Install Chromium (Debian: apt install chromium) or Chrome, or name one in BROWSER_EXECUTABLE."
INSTALL_WITHIN = 240.0  # seconds


def find(environment: Mapping[str, str] = os.environ) -> str | None:
    """The path of a browser that starts, or None."""
    named = environment.get("BROWSER_EXECUTABLE")
    candidates = [named] if named else [shutil.which(name) for name in NAMES] + [str(path) for path in BUNDLES]
    return next((path for path in candidates if path and _starts(path)), None)


def is_installable() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install() -> str | None:
    """Install Debian's Chromium; its path, or None if that didn't work. Only root may."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update", "-q"), ("install", "-y", "-q", "--no-install-recommends", "chromium")):
        try:
            subprocess.run(
                ["apt-get", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=INSTALL_WITHIN,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return find()


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
