import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from connectors import rotation
from connectors.encryption import encrypt, is_current
from connectors.fields import secrets_of
from connectors.models import AuthMethod, Connector, Variable
from connectors.rotation import models_with_secrets, rotate
from tenants.models.instance import Instance, InstanceValues
from tenants.models.tenant import Tenant

pytestmark = pytest.mark.django_db
OLD, NEW = "the old key", "the new key"


@pytest.fixture
def variables(settings):
    settings.FERNET_KEYS = [OLD]
    connector = Connector.objects.create(key="in-house", name="In-house")
    rows = [Variable(connector=connector, key=f"v{n}", operator_value=f"secret {n}") for n in range(7)]
    made = Variable.objects.bulk_create([*rows, Variable(connector=connector, key="none")])
    settings.FERNET_KEYS = [NEW, OLD]
    return made


def values():
    return [v.operator_value for v in Variable.objects.order_by("pk")]


def spoil(variable, ciphertext=b"nonsense"):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE connectors_variable SET operator_value = %s WHERE id = %s", [ciphertext, variable.pk])


def run(**options):
    out, err = io.StringIO(), io.StringIO()
    failure = None
    try:
        call_command("rotate_encryption_keys", stdout=out, stderr=err, **options)
    except CommandError as error:
        failure = error
    return out.getvalue(), err.getvalue(), failure


def test_puts_every_row_under_the_first_key(variables, settings):
    outcome = rotate(Variable, batch=3)

    settings.FERNET_KEYS = [NEW]
    assert values() == [*(f"secret {n}" for n in range(7)), None]
    assert (outcome.checked, outcome.renewed) == (8, 7)


def test_finds_rows_by_whatever_key_they_have(settings):
    settings.FERNET_KEYS = [OLD]
    connector = Connector.objects.create(key="in-house", name="In-house")
    method = AuthMethod.objects.create(connector=connector, key="m2m", name="M2M")
    for name in "abc":  # their rows' keys are UUIDs, through a one-to-one relation
        instance = Instance.objects.create(tenant=Tenant.objects.create(key=name), auth_method=method, name=name)
        InstanceValues.objects.create(instance=instance, values={"client_secret": name})
    settings.FERNET_KEYS = [NEW, OLD]

    outcome = rotate(InstanceValues, batch=2)

    settings.FERNET_KEYS = [NEW]
    assert (outcome.checked, outcome.renewed) == (3, 3)
    assert sorted(row.values["client_secret"] for row in InstanceValues.objects.all()) == ["a", "b", "c"]


def test_says_what_it_did_and_when_the_old_keys_may_go(variables):
    out, err, failure = run(batch_size=2)

    assert "8 rows checked, 7 re-encrypted, 0 secrets unreadable." in out
    assert "remove the other keys from FERNET_KEYS" in out
    assert (err, failure) == ("", None)


def test_a_second_run_does_nothing(variables):
    run()

    out, _, _ = run()

    assert "8 rows checked, 0 re-encrypted" in out


def test_goes_on_where_it_was_interrupted(variables):
    def interrupt(outcome):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(Variable, batch=3, progress=interrupt)

    assert rotate(Variable).renewed == 4


def test_names_unreadable_rows_does_the_rest_and_fails(variables):
    spoil(variables[2])

    out, err, failure = run()

    assert f"Unreadable: connectors.Variable {variables[2].pk} (operator_value)" in err
    assert "8 rows checked, 6 re-encrypted, 1 secrets unreadable." in out
    assert failure is not None
    assert failure.returncode == 1
    assert "remove the other keys" not in out


def test_does_not_overwrite_what_was_written_meanwhile(variables, monkeypatch):
    renewed = rotation.renewed

    def while_someone_writes(ciphertext):
        new = renewed(ciphertext)
        Variable.objects.filter(pk=variables[0].pk).update(operator_value="changed meanwhile")
        return new

    monkeypatch.setattr(rotation, "renewed", while_someone_writes)
    rotate(Variable)

    assert values()[0] == "changed meanwhile"


def test_renews_what_was_written_meanwhile_with_the_old_key(variables, monkeypatch, settings):
    renewed, writes = rotation.renewed, []

    def while_an_old_process_writes(ciphertext):
        new = renewed(ciphertext)
        if not writes:
            writes.append(1)
            settings.FERNET_KEYS = [OLD]
            spoil(variables[0], encrypt(b"from an old process"))
            settings.FERNET_KEYS = [NEW, OLD]
        return new

    monkeypatch.setattr(rotation, "renewed", while_an_old_process_writes)
    outcome = rotate(Variable)

    settings.FERNET_KEYS = [NEW]
    assert values()[0] == "from an old process"
    assert outcome.renewed == 7


def test_says_so_where_a_row_keeps_changing(variables, monkeypatch):
    monkeypatch.setattr(rotation, "_swap", lambda *args: False)

    _, err, failure = run()

    assert "it kept being changed: connectors.Variable" in err
    assert "Run this again" in str(failure)


def test_finds_every_model_with_an_encrypted_column():
    found = {model._meta.label: [f.name for f in secrets_of(model)] for model in models_with_secrets()}

    assert found["connectors.Variable"] == ["operator_value"]
    assert found["tenants.Token"] == ["secrets"]
    assert len(found) >= 4


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_shows_progress_on_a_terminal_only(variables):
    terminal = Terminal()

    call_command("rotate_encryption_keys", stdout=terminal, batch_size=4)

    assert "connectors.Variable: 4 of 8\rconnectors.Variable: 8 of 8\n" in terminal.getvalue()
    assert "\r" not in run()[0]


def test_a_ciphertext_of_the_first_key_is_current(settings):
    settings.FERNET_KEYS = [OLD]
    ciphertext = encrypt(b"x")
    assert is_current(ciphertext)

    settings.FERNET_KEYS = [NEW, OLD]

    assert not is_current(ciphertext)


@pytest.mark.parametrize("rows", ["0", "-1", "x", ""])
def test_a_batch_of_no_rows_is_refused_in_words(rows):
    with pytest.raises(CommandError, match=r"is no number of rows\. Write one from 1 to 999999"):
        call_command("rotate_encryption_keys", f"--batch-size={rows}")
