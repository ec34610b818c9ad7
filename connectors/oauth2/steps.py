"""What is made before a token is asked for: each step's answer gives later templates something to read."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from connectors.oauth2.advice import STEP_NOT_UNDERSTOOD, advise, proof_in
from connectors.oauth2.answers import read_answer
from connectors.oauth2.definition import Step, TokenResponse
from connectors.oauth2.errors import ResponseNotUnderstood
from connectors.oauth2.http import HttpResponse
from connectors.oauth2.paths import Answer
from connectors.oauth2.response import is_page, refusal_in, rendered_path, text_of
from connectors.oauth2.templates import Rendering

# What a provider calls its errors may be "success" elsewhere; this name leaves no doubt.
_RFC_6749 = TokenResponse()


def read_step(
    step: Step,
    response: HttpResponse,
    rendering: Rendering,
    *,
    now: datetime,
    secrets: Iterable[str],
    places: TokenResponse,
) -> Mapping[str, str]:
    """What the step keeps of its answer, by the name that templates use; what the answer lacks is empty.

    A step whose answer lacks all that is kept has failed, whatever its status; so has one that lacks some of it, or was
    to keep nothing, and says `error` as RFC 6749 does. `places` says where else the provider's errors stand. Raises
    `CredentialsRefused`, `ProviderUnavailable` or `ResponseNotUnderstood`, none of which repeats one of `secrets` or
    what is kept.
    """
    answer = read_answer(response)
    kept = kept_of(step, answer, rendering)
    may_do = 200 <= response.status < 300 and (not step.keep or any(kept.values()))
    if may_do and kept and all(kept.values()):
        return kept
    hidden = (*secrets, *(value for value in kept.values() if value))
    where, named = _RFC_6749 if may_do else places, f"the step “{step.key}”"
    error = refusal_in(where, answer, response, rendering, now, hidden, asked=named, proof=proof_in(step))
    if error is not None:
        raise error
    if may_do:
        return kept
    advice = advise(STEP_NOT_UNDERSTOOD, "", response.status, is_page=is_page(answer))
    lacking = f", but without {' or '.join(step.keep)}" if step.keep and response.status < 300 else ""
    raise ResponseNotUnderstood(
        f"The provider answered the step “{step.key}” with status {response.status}{lacking}.",
        advice.why,
        advice.remedy,
        status=response.status,
    )


def kept_of(step: Step, answer: Answer, rendering: Rendering) -> dict[str, str]:
    """What stands in an answer where the step looks, by the name that templates use."""
    return {
        f"{step.key}.{name}": text_of(answer.find(rendered_path(path, rendering))) for name, path in step.keep.items()
    }
