"""The demo's people and tenants, and the passwords that are made for them."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User

from tenants.models import Membership, Tenant

ADMINISTRATOR = "admin"
TENANTS = {"acme": "Acme", "globex": "Globex"}
# Without letters and digits that look alike: passwords are typed from a terminal.
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Login:
    """A demo user. `password` is there only in the run that made it; the database keeps a hash."""

    username: str
    role: str
    password: str = ""

    def __repr__(self) -> str:
        return f"Login({self.username!r})"


def make_logins(*, new_passwords: bool = False) -> list[Login]:
    """One administrator, and one user for each tenant. Who is there already keeps everything, the password too."""
    logins = [_login(ADMINISTRATOR, "administrator", new_passwords=new_passwords, is_staff=True, is_superuser=True)]
    for key, name in TENANTS.items():
        tenant, _ = Tenant.objects.get_or_create(key=key, defaults={"name": name})
        logins.append(_login(key, f"user of {name}", new_passwords=new_passwords))
        Membership.objects.get_or_create(tenant=tenant, user=User.objects.get(username=key))
    return logins


def _login(username: str, role: str, *, new_passwords: bool, **rights: bool) -> Login:
    user, made = User.objects.get_or_create(username=username, defaults=rights)
    if not made and not new_passwords:
        return Login(username, role)
    password = "".join(secrets.choice(_LETTERS) for _ in range(16))
    user.set_password(password)
    user.save(update_fields=["password"])
    return Login(username, role, password)
