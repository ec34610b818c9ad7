"""The folders of the embedded default."""

from config import folders


def test_what_a_former_run_left_in_the_broker_is_forgotten_and_nothing_else(settings, tmp_path):
    settings.VAR_DIR, settings.EMBEDDED_BROKER, settings.BROKER_DIR = tmp_path, True, tmp_path / "broker"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path / "broker" / "messages")}
    folders.make_all()
    for name in ("1_a.celery.msg", "2_b.draft", "3_c.other.msg"):
        (tmp_path / "broker" / "messages" / name).touch()
    (tmp_path / "broker" / "messages" / "a folder").mkdir()
    (tmp_path / "latchkey.sqlite3").touch()

    folders.forget_messages()

    assert [path.name for path in (tmp_path / "broker" / "messages").iterdir()] == ["a folder"]
    assert (tmp_path / "latchkey.sqlite3").exists()


def test_another_broker_is_left_alone(settings, tmp_path):
    settings.EMBEDDED_BROKER, settings.CELERY_BROKER_TRANSPORT_OPTIONS = False, {}

    folders.forget_messages()
