"""A method's steps as YAML that a person edits."""

from typing import Any

from connectors.yaml_text import Finding, read_documents
from connectors.yaml_writing import write_list

MAX_BYTES = 200_000


def show(steps: Any) -> str:
    """As text; what no document could hold is shown as it was stored."""
    return write_list(steps) if isinstance(steps, list) else "" if steps is None else str(steps)


def read(text: str) -> Any:
    """What was typed; nothing for an empty text. Raises `ValueError` with a sentence for a person."""
    if not text.strip():
        return None
    documents, findings = read_documents(text.encode(errors="replace"), max_bytes=MAX_BYTES)
    if findings:
        raise ValueError(" ".join(map(_sentence, findings[:3])))
    if len(documents) != 1:
        raise ValueError("Write one list, without `---` in it.")
    return documents[0].value


def _sentence(finding: Finding) -> str:
    return f"Line {finding.mark.line}: {finding.problem}"
