"""Fills an empty database: `python -m tests.faults.setting_up TOKEN_SERVER HOW_MANY` says {"ids": […], "key": …}."""

import json
import sys

import django

django.setup()

from integrations import keys  # noqa: E402
from tenants import connecting  # noqa: E402
from tenants.models import Tenant  # noqa: E402
from tests.tenants.provider import make_method  # noqa: E402

if __name__ == "__main__":
    url, count = sys.argv[1], int(sys.argv[2])
    tenant = Tenant.objects.create(key="acme", name="Acme")
    method = make_method(token_request={"url": f"{url}/token"})
    ids = []
    for number in range(count):
        values = {"client_id": f"client-{number}", "client_secret": "s3cret-value"}
        ids.append(str(connecting.connect(tenant, method, name=f"no. {number}", values=values).pk))
    print(json.dumps({"ids": ids, "key": keys.issue("faults")[1]}), flush=True)
