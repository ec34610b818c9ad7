"""What the sandbox knows of a client beyond what its library keeps."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Count, F, Max
from django.utils import timezone
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AccessToken, Application

SCOPES = tuple(settings.OAUTH2_PROVIDER["SCOPES"])
DEFAULT_LIFETIME: int = settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"]  # seconds


class ClientQuerySet(models.QuerySet["Client"]):
    def of(self, owner: User) -> Self:
        return self.filter(application__user=owner)

    def with_usage(self) -> Self:
        """With `tokens_issued` and `last_issued_at`, expired tokens included."""
        return self.select_related("application").annotate(
            tokens_issued=Count("application__accesstoken") + F("tokens_pruned"),
            last_issued_at=Max("application__accesstoken__created"),
        )

    def prune_tokens(self, before: datetime) -> int:
        """Delete tokens that expired before then, of each client all but the newest; how many. They stay counted."""
        expired = AccessToken.objects.filter(expires__lt=before)
        return sum(
            client.prune_tokens(expired) for client in self.filter(application__accesstoken__in=expired).distinct()
        )

    @transaction.atomic
    def register(
        self, *, owner: User, name: str, token_lifetime: int = DEFAULT_LIFETIME, scopes: str = " ".join(SCOPES)
    ) -> tuple["Client", str]:
        """A new client and its secret, which can be read here and nowhere else: the sandbox keeps a hash."""
        secret: str = generate_client_secret()
        application = Application.objects.create(
            user=owner,
            name=name,
            client_secret=secret,
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        )
        made = timezone.now()
        client = self.create(application=application, token_lifetime=token_lifetime, scopes=scopes, secret_made_at=made)
        return client, secret


class Client(models.Model):
    """One client of the sandbox: how long its tokens live and what they may do."""

    application: Any = models.OneToOneField("oauth2_provider.Application", on_delete=models.CASCADE, related_name="+")
    token_lifetime = models.PositiveIntegerField(
        default=DEFAULT_LIFETIME, validators=[MinValueValidator(10), MaxValueValidator(24 * 60 * 60)]
    )
    scopes = models.CharField(max_length=100, help_text="Separated by spaces.")
    # Tokens that were issued and are deleted.
    tokens_pruned = models.PositiveIntegerField(default=0, editable=False)
    # None once the secret is revoked.
    secret_made_at = models.DateTimeField(null=True)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return str(self.application)

    def renew_secret(self) -> str:
        """A new secret, which can be read here and nowhere else; the one before stops working at once."""
        secret = self._replace_secret()
        self._note_secret(timezone.now())
        return secret

    def revoke_secret(self) -> None:
        """Leave the client without a secret. Tokens that it has bought stay valid until they expire."""
        # The library has no client without a secret: one that nobody has read is as good.
        self._replace_secret()
        self._note_secret(None)

    def revoke_tokens(self) -> int:
        """Make every token of the client invalid at once; how many were still alive."""
        tokens = AccessToken.objects.filter(application=self.application, expires__gt=timezone.now())
        return int(tokens.update(expires=timezone.now()))

    @transaction.atomic
    def prune_tokens(self, expired: models.QuerySet[Any]) -> int:
        """Delete those of the client's tokens that are among `expired`, except its newest; how many."""
        newest = AccessToken.objects.filter(application=self.application).order_by("-created", "-pk").first()
        _, by_model = expired.filter(application=self.application).exclude(pk=newest and newest.pk).delete()
        count: int = by_model.get(AccessToken._meta.label, 0)
        type(self).objects.filter(pk=self.pk).update(tokens_pruned=F("tokens_pruned") + count)
        return count

    def _replace_secret(self) -> str:
        secret: str = generate_client_secret()
        self.application.client_secret = secret
        self.application.save(update_fields=["client_secret", "updated"])
        return secret

    def _note_secret(self, made_at: Any) -> None:
        self.secret_made_at = made_at
        self.save(update_fields=["secret_made_at"])
