"""When an answer says that waiting helps."""

from connectors.oauth2.errors import CredentialsRefused, MintBudgetSpent, ProviderUnavailable
from integrations.retrying import wait_for


def test_all_that_passes_by_itself_is_waited_for():
    busy = ProviderUnavailable("Busy.", retry_after=90.0)

    assert wait_for([busy]) == 90.0
    assert (wait_for([ProviderUnavailable("Away.")]) or 0) > 0
    assert wait_for([busy, ProviderUnavailable("Away.")]) == 90.0


def test_what_somebody_must_mend_is_not_waited_for():
    assert wait_for([ProviderUnavailable("Busy.", retry_after=90.0), CredentialsRefused("Refused.")]) is None
    assert wait_for([]) is None


def test_a_budget_says_when_it_is_free():
    assert wait_for([MintBudgetSpent("Spent.", retry_after=7.0)]) == 7.0
