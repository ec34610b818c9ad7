"""The errors that readers get, as they travel between processes."""

import copy
import pickle

import pytest

from tenants import errors

EACH = [
    errors.AddressRefused("what", "why", "remedy"),
    errors.CredentialsRefused("what", "why", "remedy", error="invalid_client", description="no", status=401),
    errors.InstanceNotFound("what", "why", "remedy"),
    errors.MintBudgetSpent("what", "why", "remedy", retry_after=7.5),
    errors.NotConnected("what", "why", "remedy"),
    errors.ProviderUnavailable("what", "why", "remedy", retry_after=3.0, is_endpoints=True),
    errors.ResponseNotUnderstood("what", "why", "remedy", status=200),
    errors.SeveralInstances("what", "why", "remedy", names=("", "EMEA")),
    errors.ValidationFailed("what", "why", "remedy", fields={"min_ttl": "wrong"}),
]


def _pickled(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)


@pytest.mark.parametrize("error", EACH, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("sent", [_pickled, copy.copy, copy.deepcopy])
def test_an_error_comes_whole_out_of_another_process(error, sent):
    got = sent(error)

    assert type(got) is type(error)
    assert (str(got), vars(got), got.args) == (str(error), vars(error), error.args)
