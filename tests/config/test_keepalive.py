"""Connections that are given up when their other end has vanished."""

import os
import socket
import subprocess
import sys
from ast import literal_eval

import pytest
from django.db import connection

from config import keepalive
from config.celery import app


def options_of(descriptor):
    with socket.socket(fileno=os.dup(descriptor)) as ours:
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return {name: ours.getsockopt(socket.IPPROTO_TCP, name) for name in keepalive.SOCKET}


@pytest.mark.both_databases
@pytest.mark.postgresql_only
@pytest.mark.django_db
def test_the_database_is_given_up_when_it_has_vanished():
    connection.ensure_connection()

    assert options_of(connection.connection.fileno()) == keepalive.SOCKET


@pytest.mark.both_databases
@pytest.mark.postgresql_only
def test_the_broker_is_given_up_when_it_has_vanished():
    with app.connection_for_read() as broker:
        pool = broker.default_channel.pool
        taken = pool.get_connection()

        assert options_of(taken._sock.fileno()) == keepalive.SOCKET
        pool.release(taken)


def test_what_the_databases_address_says_comes_first():
    said = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    address = "postgres://u:p@host/name?tcp_user_timeout=7000&sslmode=require"
    # As a process of its own: settings are read once.
    environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"}

    printed = subprocess.check_output([sys.executable, "-c", said], env=environment, text=True)

    assert literal_eval(printed) == {**keepalive.POSTGRES, "tcp_user_timeout": 7000, "sslmode": "require"}
