from datetime import UTC, datetime

import pytest
from django import forms
from django.contrib.admin.utils import display_for_field

from connectors.models import Connector, Variable
from connectors.secret_forms import Change, SecretFormField, Stored

SECRET = "s3cr3t-value"


class OperatorForm(forms.ModelForm):
    class Meta:
        model = Variable
        fields = ("operator_value",)


class PlainForm(forms.Form):
    secret = SecretFormField()
    key = SecretFormField(multiline=True, required=False)


@pytest.fixture
def variable(db):
    connector = Connector.objects.create(key="in-house", name="In-house")
    return Variable.objects.create(connector=connector, key="region", operator_value=SECRET)


def test_never_shows_what_is_stored(variable):
    form = OperatorForm(instance=variable)

    page = form.as_p()

    assert SECRET not in page
    assert SECRET not in repr(form.initial)
    assert "Set. Leave empty to keep it; type to replace." in page


def test_never_shows_what_was_typed():
    form = PlainForm({"secret": SECRET, "key": SECRET, "other": ""}, initial={"secret": SECRET})
    form.add_error("secret", "The provider refused it.")

    assert SECRET not in form.as_p()


def test_says_since_when_it_is_set():
    form = PlainForm(initial={"secret": Stored(datetime(2026, 3, 1, tzinfo=UTC))})

    assert "Set on March 1, 2026. Leave empty to keep it; type to replace." in form.as_p()


def test_says_nothing_where_nothing_is_stored():
    assert "Leave empty to keep it" not in PlainForm().as_p()


def test_empty_keeps(variable):
    form = OperatorForm({"operator_value": ""}, instance=variable)

    assert form.is_valid()
    assert not form.has_changed()
    form.save()

    variable.refresh_from_db()
    assert variable.operator_value == SECRET


def test_typed_text_replaces(variable):
    form = OperatorForm({"operator_value": " new one\r\n"}, instance=variable)
    form.save()

    variable.refresh_from_db()
    assert variable.operator_value == "new one"
    assert form.changed_data == ["operator_value"]


def test_clears_when_asked(variable):
    form = OperatorForm({"operator_value": "", "operator_value-clear": "on"}, instance=variable)
    form.save()

    variable.refresh_from_db()
    assert variable.operator_value is None
    assert form.changed_data == ["operator_value"]


def test_a_typed_text_wins_over_clearing(variable):
    OperatorForm({"operator_value": "new", "operator_value-clear": "on"}, instance=variable).save()

    variable.refresh_from_db()
    assert variable.operator_value == "new"


def test_a_disabled_field_keeps(variable):
    form = OperatorForm({"operator_value": "new"}, instance=variable)
    form.fields["operator_value"].disabled = True
    form.save()

    variable.refresh_from_db()
    assert variable.operator_value == SECRET


def test_a_required_secret_may_stay_but_not_be_cleared():
    stored = {"secret": Stored()}

    assert PlainForm({"secret": ""}, initial=stored).is_valid()
    assert not PlainForm({"secret": "", "secret-clear": "on"}, initial=stored).is_valid()
    assert not PlainForm({"secret": "  "}).is_valid()
    assert "secret-clear" not in PlainForm(initial=stored).as_p()


def test_cleans_to_what_is_to_be_done():
    form = PlainForm({"secret": "", "key-clear": "on"}, initial={"secret": Stored(), "key": Stored()})

    assert form.is_valid()
    assert form.cleaned_data == {"secret": Change.KEEP, "key": Change.CLEAR}


def test_takes_secrets_of_several_lines():
    form = PlainForm({"secret": "x", "key": "-----BEGIN-----\r\nab\r\n-----END-----\r\n"})

    assert "<textarea" in str(form["key"])
    assert form.is_valid()
    assert form.cleaned_data["key"] == "-----BEGIN-----\nab\n-----END-----"


def test_one_form_does_not_learn_what_another_was_told():
    PlainForm(initial={"secret": Stored()}).as_p()

    assert "Leave empty" not in PlainForm().as_p()
    assert not PlainForm({"secret": ""}).is_valid()


def test_a_page_that_may_only_be_viewed_shows_nothing():
    field = Variable._meta.get_field("operator_value")

    assert display_for_field(SECRET, field, "-") == "-"
