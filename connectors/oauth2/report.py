"""What a trial came to, put for a person: the same for pages and for the shell. Nothing in it is secret."""

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.oauth2.curl import curl
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.lifetimes import lifetime, moment
from connectors.oauth2.marking import MASK, Line, Marker, Segment
from connectors.oauth2.showing import TOKEN, Message, shown_answer, shown_request
from connectors.oauth2.templates import parse
from connectors.oauth2.trial import Exchanged, Trial


@dataclass(frozen=True)
class Step:
    """One request with its answer (None: no usable one came), and the request as a command."""

    title: str
    request: Message
    answer: Message | None
    curl: str


@dataclass(frozen=True)
class Row:
    """Something that is kept or carried: its name and what it holds."""

    name: str
    line: Line


@dataclass(frozen=True)
class Report:
    """`what` happened, `why` and the `remedy`, as errors say it; what was sent and got; what would come of it."""

    is_fine: bool
    what: str
    why: str
    remedy: str
    hints: tuple[str, ...]
    steps: tuple[Step, ...]
    stored: tuple[Row, ...]
    carried: tuple[Row, ...]


def report_on(trial: Trial) -> Report:
    marker, api_marker = trial.token_marker(), trial.api_marker()
    error = trial.error or trial.test_error
    return Report(
        is_fine=trial.is_fine,
        what=error.what if error else _success(trial),
        why=_covered(error.why, marker) if error else "",
        remedy=error.remedy if error else "",
        hints=tuple(_hints(trial)),
        steps=tuple(_steps(trial, marker, api_marker)),
        stored=tuple(_stored(trial, marker)),
        carried=tuple(_carried(trial, api_marker)),
    )


def refused(error: LatchkeyError) -> Report:
    """A report on what was not even begun."""
    return Report(False, error.what, error.why, error.remedy, (), (), (), ())


def _covered(text: str, marker: Marker) -> str:
    return "".join(segment.text for segment in marker.cover(text))


def _success(trial: Trial) -> str:
    if trial.test:
        return "A token was issued, and the API accepts it."
    return "A token was issued. The definition has no test request, so no API was asked whether it works."


def _hints(trial: Trial) -> Iterator[str]:
    paths = trial.likely_paths()
    if paths:
        shown = " or ".join(f"“{path}”" for path in paths)
        yield f"A value that looks like a token stands at {shown}: that may be the path to write for the access token."


def _steps(trial: Trial, marker: Marker, api_marker: Marker) -> Iterator[Step]:
    made = trial.method.definition.steps
    for step, done in zip(made, trial.token, strict=False):
        yield _step(f"Step “{step.key}”", done, marker, {})
    asked = trial.token[len(made) :]
    for index, done in enumerate(asked):
        count = f" {index + 1} of {len(asked)}" if len(asked) > 1 else ""
        # Only the last answer is the one that the definition's paths look into.
        found = _found(trial) if index == len(asked) - 1 else {}
        yield _step(f"Token request{count}", done, marker, found)
    for done in trial.test:
        yield _step("Test request", done, api_marker, {})


def _step(title: str, done: Exchanged, marker: Marker, found: dict[str, str]) -> Step:
    answer = None if done.response is None else shown_answer(done.response, marker, found=found)
    return Step(title, shown_request(done.request, marker), answer, curl(done.request, marker=marker))


def _found(trial: Trial) -> dict[str, str]:
    """What is read where in the answer, as words by path."""
    stated, answer = trial.method.definition.token_response, trial.answer
    if trial.grant is None or answer is None:
        return {}
    places = {_path(path, trial): f"kept as response.{name}" for name, path in stated.kept.items()}
    at, within = _path(stated.expires_at, trial), _path(stated.expires_in, trial)
    if moment(answer.find(at), trial.grant.issued_at) is not None:
        places[at] = "the expiry"
    elif lifetime(answer.find(within), stated.expires_in_unit) is not None:
        places[within] = "the expiry"
    places[trial.token_path()] = TOKEN
    return {path: word for path, word in places.items() if path}


def _path(source: str | None, trial: Trial) -> str:
    return parse(source).render(trial.rendering).strip() if source else ""


def _stored(trial: Trial, marker: Marker) -> Iterator[Row]:
    grant = trial.grant
    if grant is None:
        return
    place = f"{len(grant.access_token):,} characters, found at “{trial.token_path()}”"
    yield Row("Access token", (Segment(MASK, is_masked=True, note=place),))
    yield Row("Token type", marker.cover(grant.token_type))
    expires = "never" if grant.expires_at is None else f"{grant.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    yield Row("Expires", (Segment(expires, note=trial.expiry()),))
    for name, value in grant.kept.items():
        shown = marker.cover(value) if value else (Segment("", note="empty: the answer lacks it"),)
        yield Row(f"response.{name}", shown)


def _carried(trial: Trial, marker: Marker) -> Iterator[Row]:
    if trial.signature is None:
        return
    if trial.signature.base_url:
        yield Row("Base URL", marker.mark(trial.signature.base_url))
    for name, value in trial.signature.headers.items():
        yield Row(f"Header {name}", marker.mark(value))
    for name, value in trial.signature.query:
        yield Row(f"Query parameter {name}", marker.mark(value))
