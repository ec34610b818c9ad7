"""What happens around every task."""

from types import SimpleNamespace

import pytest
from celery.signals import task_postrun, task_prerun
from django.db import DatabaseError, connection, transaction

from config.celery import leave_broken_connections
from tenants.models import Tenant

SIGNALS = pytest.mark.parametrize("signal", [task_prerun, task_postrun], ids=["before", "after"])


def task(*, is_eager):
    return SimpleNamespace(request=SimpleNamespace(is_eager=is_eager), name="tests.nothing")


def receivers(signal):
    return [receiver() for _, receiver in signal.receivers]


@SIGNALS
def test_every_task_leaves_broken_connections(signal):
    assert leave_broken_connections in receivers(signal)


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_a_thread_whose_connection_broke_gets_another_with_the_next_task():
    connection.ensure_connection()
    connection.connection.close()
    with pytest.raises(DatabaseError):
        Tenant.objects.exists()

    leave_broken_connections(task(is_eager=False))

    assert not Tenant.objects.exists()


@pytest.mark.django_db
def test_a_task_that_its_caller_runs_leaves_the_callers_transaction_alone():
    with transaction.atomic():
        Tenant.objects.create(key="acme")
        leave_broken_connections(task(is_eager=True))

        assert Tenant.objects.exists()
