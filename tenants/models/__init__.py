"""The models of this app; Django and people import them from here."""

from tenants.models.draft import Draft
from tenants.models.endpoint import Endpoint
from tenants.models.event import Event
from tenants.models.instance import Instance, InstanceValues
from tenants.models.mint_account import MintAccount
from tenants.models.next_values import NextValues
from tenants.models.notice import Notice
from tenants.models.sign_in_failures import SignInFailures
from tenants.models.tenant import Membership, Tenant
from tenants.models.token import Token

__all__ = [
    "Draft",
    "Endpoint",
    "Event",
    "Instance",
    "InstanceValues",
    "Membership",
    "MintAccount",
    "NextValues",
    "Notice",
    "SignInFailures",
    "Tenant",
    "Token",
]
