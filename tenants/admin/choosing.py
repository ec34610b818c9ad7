"""The first step of adding an instance: whose, and of what."""

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from connectors.models import AuthMethod
from tenants.models import Tenant


class _MethodField(forms.ModelChoiceField):  # type: ignore[type-arg]  # (it can't be subscripted at run time)
    def label_from_instance(self, obj: AuthMethod) -> str:
        return f"{obj.connector.name}: {obj.name}"


class ChoiceForm(forms.Form):
    """A tenant and an authentication method."""

    tenant = forms.ModelChoiceField(queryset=Tenant.objects.all(), widget=UnfoldAdminSelectWidget)
    auth_method = _MethodField(
        queryset=AuthMethod.objects.select_related("connector")
        .defer("connector__logo")
        .order_by("connector__name", "position", "pk"),
        label="Authentication method",
        widget=UnfoldAdminSelectWidget,
    )
