import pytest

from connectors.oauth2.answers import read_answer
from connectors.oauth2.client_authentication import authentication
from connectors.oauth2.request import api_signature, make_token_request
from tests.connectors.oauth2.definitions import answer, given, grant, method_of

SECRET = "s3cr3t-v4lue"
METHOD = method_of(base_url="https://{{shop}}.example.com", connector_variables=[{"key": "shop"}])
RENDERING = given(METHOD, client_secret=SECRET, shop=SECRET)
GRANT = grant(answer({"access_token": SECRET, "token_type": SECRET, "site": SECRET}), keep=["site"])


@pytest.mark.parametrize(
    "value",
    [
        RENDERING,
        make_token_request(METHOD, RENDERING),
        make_token_request(METHOD, RENDERING).headers,
        authentication(METHOD.definition.token_request).prove(RENDERING, "https://auth.example.com/token"),
        answer({"access_token": SECRET}, X_Token=SECRET),
        read_answer(answer({"access_token": SECRET})),
        GRANT,
        api_signature(METHOD, RENDERING, GRANT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_repr_shows_no_secret(value):
    assert SECRET not in repr(value)
    assert SECRET not in str(value)
