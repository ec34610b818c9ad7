"""/readyz: each part by name, an answer in time whatever hangs."""

import threading
import time
from datetime import timedelta

import pytest
from django.test import Client

from config.operations.models import Heartbeat
from config.operations.readiness import BROKER, DATABASE, LATE_AFTER, Question, ask_broker, look
from tenants import database_time

FRESH = {Heartbeat.Part.WORKER: 1.0, Heartbeat.Part.BEAT: 2.0}


def answering(ages=FRESH):
    return Question(lambda: ages)


def failing():
    def fail():
        raise ConnectionError("db.internal:5432 refused")

    return Question(fail)


def heard(**ago):
    now = database_time.now()
    for part, seconds in ago.items():
        Heartbeat.objects.beat(part, now=now - timedelta(seconds=seconds))


def test_all_well_names_each_part_with_how_long():
    checks, troubles = look(database=answering(), broker=answering(None))

    assert {name: check.ok for name, check in checks.items()} == dict.fromkeys(
        ("database", "broker", "worker", "beat"), True
    )
    assert checks["database"].took_ms is not None
    assert checks["broker"].took_ms is not None
    assert checks["worker"].seconds_ago == 1.0
    assert checks["beat"].seconds_ago == 2.0
    assert troubles == {}


@pytest.mark.parametrize("part", ["worker", "beat"])
def test_a_part_that_was_not_heard_from_for_long_is_named(part):
    checks, _ = look(database=answering({**FRESH, part: LATE_AFTER * 10}), broker=answering(None))

    assert [name for name, check in checks.items() if not check.ok] == [part]


@pytest.mark.parametrize("part", ["worker", "beat"])
def test_a_part_that_never_was_heard_from_is_named(part):
    ages = {name: age for name, age in FRESH.items() if name != part}

    checks, _ = look(database=answering(ages), broker=answering(None))

    assert [name for name, check in checks.items() if not check.ok] == [part]


def test_without_the_database_nothing_is_known_of_who_writes_into_it():
    checks, troubles = look(database=failing(), broker=answering(None))

    assert [name for name, check in checks.items() if check.ok] == ["broker"]
    assert troubles == {"database": "ConnectionError"}


@pytest.mark.parametrize("part", ["database", "broker"])
def test_a_part_that_hangs_keeps_nobody_waiting(part):
    released = threading.Event()
    questions = {"database": answering(), "broker": answering(None), part: Question(released.wait)}

    start = time.monotonic()
    checks, _ = look(**questions, within=0.2)
    took = time.monotonic() - start
    released.set()

    assert not checks[part].ok
    assert took < 20


def test_a_part_that_hangs_is_asked_once_however_many_look():
    released, asked = threading.Event(), []
    question = Question(lambda: asked.append(1) or released.wait())

    for _ in range(5):
        look(database=answering(), broker=question, within=0.05)
    released.set()

    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_the_page_answers_200_when_all_is_well():
    heard(worker=3, beat=4)

    response = Client().get("/readyz")

    assert response.status_code == 200, response.content
    body = response.json()
    assert body["status"] == "ok"
    assert set(body["checks"]) == {"database", "broker", "worker", "beat"}
    assert 2 <= body["checks"]["worker"]["seconds_ago"] < 25


@pytest.mark.django_db(transaction=True)
def test_the_page_answers_503_when_something_is_not():
    heard(worker=3)

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["checks"]["beat"] == {"ok": False, "detail": "Never heard from."}


def test_strangers_learn_nothing_of_what_stands_behind(monkeypatch):
    monkeypatch.setattr("config.operations.views.readiness.look", lambda: look(database=failing(), broker=failing()))

    response = Client().get("/readyz")

    assert response.status_code == 503
    for inside in ("internal", "5432", "ConnectionError", "postgres", "redis", "/"):
        assert inside not in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]


def test_nobody_posts_to_it():
    assert Client().post("/readyz").status_code == 405


def test_an_embedded_broker_whose_folder_is_gone_is_no_broker(settings, tmp_path):
    if not settings.EMBEDDED_BROKER:
        pytest.skip("runs against another broker")
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path / "gone")}

    with pytest.raises(PermissionError):
        ask_broker()


@pytest.mark.django_db(transaction=True)
def test_the_newest_sign_of_life_counts():
    now = database_time.now()
    Heartbeat.objects.beat(Heartbeat.Part.WORKER, process="old", now=now - timedelta(hours=2))
    Heartbeat.objects.beat(Heartbeat.Part.WORKER, process="new", now=now)

    ages = DATABASE.put().result(timeout=60).value

    assert ages[Heartbeat.Part.WORKER] < 60
    assert BROKER.put().result(timeout=60).trouble == ""


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_another_method_is_not_taken_for_a_form(path):
    response = Client(enforce_csrf_checks=True).post(path)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
