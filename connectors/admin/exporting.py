"""Documents as a file to download."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from connectors.yaml_writing import write_documents


def download(documents: Sequence[Mapping[str, Any]]) -> HttpResponse:
    """The documents as YAML: one file, named for its document if there is but one."""
    name = documents[0]["key"] if len(documents) == 1 else "latchkey"
    return HttpResponse(
        write_documents(documents),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.yaml"', "X-Content-Type-Options": "nosniff"},
    )
