import pytest

from connectors.pool import Pool
from tests.connectors.transport.servers import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def pool():
    made = Pool()
    yield made
    made.clear()
