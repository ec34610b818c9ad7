import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection, transaction
from django.db.migrations.writer import MigrationWriter
from django.db.models import F, Value
from django.db.models.functions import Concat, Upper

from connectors.encryption import SecretUnreadable
from connectors.fields import EncryptedJSONField, EncryptedTextField
from connectors.models import AuthMethod, Connector, Variable
from tenants.models.instance import Instance, InstanceValues
from tenants.models.tenant import Tenant
from tenants.models.token import Token

pytestmark = pytest.mark.django_db
SECRET = "s3cr3t-value"


@pytest.fixture
def connector():
    return Connector.objects.create(key="in-house", name="In-house")


@pytest.fixture
def variable(connector):
    return Variable.objects.create(connector=connector, key="region", operator_value=SECRET)


def stored(variable):
    with connection.cursor() as cursor:
        cursor.execute("SELECT operator_value FROM connectors_variable WHERE id = %s", [variable.pk])
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def test_stores_ciphertext_and_reads_text(variable):
    variable.refresh_from_db()

    assert variable.operator_value == SECRET
    assert SECRET.encode() not in stored(variable)


@pytest.mark.parametrize("text", ["", "-----BEGIN KEY-----\nab\ncd\n-----END KEY-----\n", "ключ 🔑", "x" * 100_000])
def test_keeps_any_text(variable, text):
    Variable.objects.filter(pk=variable.pk).update(operator_value=text)

    variable.refresh_from_db()
    assert variable.operator_value == text


def test_keeps_null(variable):
    Variable.objects.filter(pk=variable.pk).update(operator_value=None)

    assert stored(variable) is None
    assert not Variable.objects.with_operator_value().exists()


def test_bulk_update_encrypts(connector, variable):
    other = Variable.objects.create(connector=connector, key="other", operator_value="x")
    variable.operator_value, other.operator_value = "first", None

    Variable.objects.bulk_update([variable, other], ["operator_value"])

    assert b"first" not in stored(variable)
    variable.refresh_from_db()
    other.refresh_from_db()
    assert (variable.operator_value, other.operator_value) == ("first", None)


def test_bulk_create_encrypts(connector):
    Variable.objects.bulk_create([Variable(connector=connector, key=key, operator_value=key * 9) for key in "ab"])

    assert [v.operator_value for v in Variable.objects.order_by("key")] == ["a" * 9, "b" * 9]


@pytest.mark.parametrize(
    "expression", [Value(SECRET), F("label"), F("operator_value"), Upper("label"), Concat(Value("a"), Value("b"))]
)
def test_refuses_expressions_and_keeps_what_was_there(variable, expression):
    with pytest.raises(FieldError, match="operator_value is encrypted before") as refused, transaction.atomic():
        Variable.objects.filter(pk=variable.pk).update(operator_value=expression)

    assert SECRET not in str(refused.value)
    variable.refresh_from_db()
    assert variable.operator_value == SECRET


def test_refuses_to_save_an_expression(connector):
    with pytest.raises(FieldError):
        Variable.objects.create(connector=connector, key="a", operator_value=Value("text"))


@pytest.mark.parametrize("lookup", ["exact", "iexact", "contains", "startswith", "in", "gt", "regex", "range"])
def test_is_not_searchable(lookup):
    with pytest.raises(FieldError, match="does not support lookups"):
        list(Variable.objects.filter(**{f"operator_value__{lookup}": [SECRET, SECRET]}))


def test_a_wrong_key_is_named_as_the_cause(variable, settings):
    settings.FERNET_KEYS = ["another key"]

    with pytest.raises(SecretUnreadable, match=r"connectors\.Variable\.operator_value.*FERNET_KEYS") as unreadable:
        variable.refresh_from_db()

    assert unreadable.value.__context__ is None
    assert unreadable.value.remedy


def test_every_key_decrypts_and_the_first_encrypts(variable, settings):
    settings.FERNET_KEYS = ["new", *settings.FERNET_KEYS]
    variable.refresh_from_db()
    assert variable.operator_value == SECRET

    variable.save(update_fields=["operator_value"])
    settings.FERNET_KEYS = ["new"]

    variable.refresh_from_db()
    assert variable.operator_value == SECRET


def test_repr_shows_nothing(variable):
    assert SECRET not in f"{variable!r} {variable} {Variable.objects.all()!r}"


@pytest.mark.parametrize("form", ["json", "xml", "jsonl"])
def test_dumps_leave_secrets_out(variable, form):
    dumped = serializers.serialize(form, Variable.objects.all())

    assert SECRET not in dumped
    assert "region" in dumped


@pytest.mark.parametrize(
    "field", [EncryptedTextField(), EncryptedTextField(null=True, dated_by="at"), EncryptedJSONField(default=dict)]
)
def test_migrations_write_it_the_same_way_each_time(field):
    _, path, args, kwargs = field.deconstruct()
    again = type(field)(*args, **kwargs)

    assert path == f"connectors.fields.{type(field).__name__}"
    assert again.deconstruct() == field.deconstruct()
    assert "connectors.fields" in MigrationWriter.serialize(field)[0]


@pytest.mark.parametrize("option", ["unique", "db_index", "primary_key"])
def test_refuses_options_that_make_no_sense_on_ciphertext(option):
    with pytest.raises(Exception, match=f"does not support {option}"):
        EncryptedTextField(**{option: True})


@pytest.fixture
def instance(connector):
    method = AuthMethod.objects.create(connector=connector, key="m2m", name="M2M")
    return Instance.objects.create(tenant=Tenant.objects.create(key="acme"), auth_method=method)


def test_json_goes_in_and_out(instance):
    value = {"client_secret": SECRET, "nested": {"a": [1, None, "ü"]}}
    row = InstanceValues.objects.create(instance=instance, values=value)

    row.refresh_from_db()
    assert row.values == value

    row.values = {**value, "more": 1}
    InstanceValues.objects.bulk_update([row], ["values"])
    row.refresh_from_db()
    assert row.values == {**value, "more": 1}

    InstanceValues.objects.update(values={})
    row.refresh_from_db()
    assert row.values == {}


def test_json_may_be_null_and_is_found_by_that(instance):
    token = Token.objects.create(instance=instance)

    assert Token.objects.filter(secrets=None).get() == token
    Token.objects.update(secrets={"access_token": SECRET})
    assert not Token.objects.filter(secrets__isnull=True).exists()
    assert Token.objects.get().secrets == {"access_token": SECRET}
