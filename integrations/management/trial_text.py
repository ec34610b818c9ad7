"""A trial as plain text. Secrets are covered; behind a line stands where its values came from."""

from collections.abc import Iterator

from connectors.oauth2.marking import Line, plain
from connectors.oauth2.report import report_on
from connectors.oauth2.trial import Trial
from connectors.trials import Search


def lines_of(trial: Trial, *, with_curl: bool = False) -> Iterator[str]:
    report = report_on(trial)
    for step in report.steps:
        yield from (step.title, *(_marked(line) for line in step.request.lines()), "", "Answer")
        if step.answer is None:
            yield "  No usable answer came."
        else:
            yield from (_marked(line) for line in step.answer.lines())
            if step.answer.is_cut:
                yield "  … (the answer is longer)"
        yield ""
        if with_curl:
            yield from ("As cURL, secrets covered", *(f"  {line}" for line in step.curl.splitlines()), "")
    for title, rows in (("What would be stored", report.stored), ("What an API request would carry", report.carried)):
        if rows:
            yield from (title, *(_marked((*row.line,), f"{row.name}: ") for row in rows), "")
    yield f"{'Works' if report.is_fine else 'Failed'}: {report.what}"
    yield from (text for text in (report.why, report.remedy, *report.hints) if text)


def lines_of_search(search: Search) -> Iterator[str]:
    yield from ("", "Other ways to send the request, tried in turn:")
    for attempt in search.attempts:
        error = attempt.trial.error
        yield f"  {attempt.alternative.title}: {error.what if error else 'a token was issued.'}"
    if search.found is None:
        yield "None of them works either: the client ID or the secret is the likelier cause."
        return
    yield "To keep it, write into token_request:"
    yield from (f"  {key}: {value}" for key, value in search.found.alternative.changes.items())


def _marked(line: Line, name: str = "") -> str:
    names = dict.fromkeys(f"{{{{{name}}}}}" for segment in line for name in segment.names)
    notes = dict.fromkeys(segment.note for segment in line if segment.note)
    behind = ", ".join((*names, *notes))
    # What a provider sends must not steer the terminal.
    text = "".join(character if character.isprintable() else "?" for character in f"{name}{plain(line)}")
    return f"  {text}   ← {behind}" if behind else f"  {text}".rstrip()
