"""Many rows written in one statement are what they are when each is written alone."""

import pytest
from django.db import DataError, transaction

from tenants import connecting
from tenants.models import Event

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
COLUMNS = ("instance", "at", "kind", "status_before", "status_after", "code", "message", "actor")

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def instances(tenant, method, provider, clock):
    return [
        connecting.connect(tenant, method, name=f"no. {number}", values=VALUES, send=provider, clock=clock)
        for number in range(3)
    ]


def event(instance, clock, **more):
    said = {"kind": "checked", "status_before": "active", "status_after": "active", "code": "", "message": "", **more}
    return Event(instance=instance, at=clock(), **said)


def written(events):
    Event.objects.all().delete()
    with transaction.atomic():
        Event.objects.note(events)
    return rows()


def rows():
    return sorted(Event.objects.values_list(*COLUMNS), key=str)


@pytest.mark.parametrize(
    "differing",
    [
        pytest.param([{}, {}, {}], id="alike"),
        pytest.param([{"message": "one"}, {"message": ""}, {"message": "ä “three”"}], id="of different words"),
        pytest.param([{"code": "a"}, {"code": "a"}, {"code": "b", "kind": "changed"}], id="partly alike"),
        pytest.param([{"message": "alone"}], id="one alone"),
    ],
)
def test_events_are_written_together_as_they_are_alone(instances, clock, django_user_model, differing):
    user = django_user_model.objects.create(username="ada")
    actors = [user, None, user]
    events = [
        event(instance, clock, actor=actor, **more)
        for instance, actor, more in zip(instances, actors, differing, strict=False)
    ]

    together = written(events)
    Event.objects.all().delete()
    for one in events:
        one.pk = None
        one.save()

    assert together == rows()


def test_two_events_of_one_instance_may_be_alike(instances, clock):
    one = instances[0]

    assert len(written([event(one, clock), event(one, clock)])) == 2


@pytest.mark.postgresql_only  # SQLite's columns have no length
@pytest.mark.parametrize("others", [[], [{"code": "b"}]], ids=["alone", "beside another"])
def test_what_is_too_long_for_its_column_is_refused_not_cut(instances, clock, others):
    events = [event(instances[0], clock, code="x" * 65), *(event(instances[1], clock, **more) for more in others)]

    with pytest.raises(DataError, match="too long"):
        written(events)
