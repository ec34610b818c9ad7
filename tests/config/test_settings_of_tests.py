"""The suite stands on its own settings, whatever the machine's environment says."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
READS = """
import json, os
from tests import settings
print(json.dumps([settings.METRICS_TOKEN, settings.EVENT_RETENTION_DAYS, settings.LOG_FORMAT]))
print(json.dumps([name for name in os.environ if name.lower().endswith("_proxy")]))
"""


def test_neither_the_developers_settings_nor_a_proxy_counts(tmp_path):
    (tmp_path / "key").write_text("of somebody's production, and long enough to be one")
    theirs = {
        "METRICS_TOKEN": "shown-to-prometheus-in-production",
        "EVENT_RETENTION_DAYS": "1",
        "LOG_FORMAT": "text",
        "SECRET_KEY_FILE": str(tmp_path / "key"),
        "DATABASE_URL_FILE": str(tmp_path / "key"),
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "socks5://127.0.0.1:1",
    }

    read = subprocess.run(
        [sys.executable, "-c", READS],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **theirs},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert read.returncode == 0, read.stderr
    assert [json.loads(line) for line in read.stdout.splitlines()] == [["", 90, "json"], []]
