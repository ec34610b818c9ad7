"""cURL commands pasted from documentation become drafts that hold no secret."""

import pytest

from connectors.importers.draft import NotReadable
from connectors.importers.drafting import draft_of_text
from connectors.importers.shell_words import commands

POST = "curl https://login.acme.test/token -d grant_type=client_credentials"


def drafted(command):
    return draft_of_text(command.encode())


def token_request(draft):
    return draft.document["auth_methods"][0]["token_request"]


def variables(draft):
    return {one["key"]: one for one in draft.document["auth_methods"][0].get("variables", [])}


def said(draft):
    return " ".join(draft.remarks)


def test_id_and_secret_in_the_body_are_client_secret_post():
    draft = drafted(f"{POST} -d client_id=abc -d 'client_secret=s3cr3t-0f-acme' -d scope=read%20write")

    assert draft.missing == ()
    assert token_request(draft) == {
        "url": "https://login.acme.test/token",
        "client_authentication": "client_secret_post",
    }
    assert variables(draft) == {"scope": {"key": "scope", "default": "read write"}}
    assert "s3cr3t" not in draft.yaml


@pytest.mark.parametrize(
    "sends",
    [
        "-u 'abc:s3cr3t-0f-acme'",
        "--user=abc:s3cr3t-0f-acme",
        "-uabc:s3cr3t-0f-acme",
        '-H "Authorization: Basic YWJjOnMzY3IzdC0wZi1hY21l"',
        "-H \"Authorization: Basic $(echo -n 'abc:s3cr3t-0f-acme' | base64)\"",
        "-H 'Authorization: Basic <base64(client_id:client_secret)>'",
    ],
)
def test_basic_authentication_is_recognised_however_it_is_written(sends):
    draft = drafted(f"{POST} {sends}")

    assert draft.missing == ()
    assert token_request(draft)["client_authentication"] == "client_secret_basic"
    assert "s3cr3t" not in draft.yaml
    assert "YWJj" not in draft.yaml


def test_a_user_in_the_address_is_basic_authentication():
    draft = drafted("curl -X POST https://abc:s3cr3t-0f@login.acme.test/token -d grant_type=client_credentials")

    assert token_request(draft)["url"] == "https://login.acme.test/token"
    assert token_request(draft)["client_authentication"] == "client_secret_basic"
    assert "s3cr3t" not in draft.yaml


def test_a_json_body_keeps_its_shape():
    body = '{"grant_type": "client_credentials", "auth": {"password": "hunter22", "version": 3}, "audience": "https://api.acme.test"}'

    draft = drafted(f"curl --json '{body}' https://login.acme.test/token")

    assert draft.missing == ()
    assert token_request(draft)["body_format"] == "json"
    assert token_request(draft)["body"] == {
        "grant_type": "{{grant_type}}",
        "auth": {"password": "{{password}}", "version": 3},
        "audience": "https://api.acme.test",
    }
    assert variables(draft)["password"]["secret"] is True
    assert "hunter22" not in draft.yaml


def test_parameters_behind_get_go_into_the_query():
    draft = drafted("curl -G https://api.acme.test/token --data-urlencode 'appid=$APPID' -d secret=s3cr3t0facme -d v=2")

    assert draft.missing == ()
    assert token_request(draft) == {
        "method": "GET",
        "url": "https://api.acme.test/token",
        "client_authentication": "none",
        "query": {"secret": "{{secret}}", "v": "2", "appid": "{{appid}}"},
        "body_format": "none",
    }
    assert variables(draft)["secret"]["secret"] is True


@pytest.mark.parametrize(
    "written",
    ["<tenant-id>", "{tenant_id}", "{{tenantId}}", "$TENANT_ID", "${TENANT_ID}", "YOUR_TENANT_ID", "your-tenant-id"],
)
def test_placeholders_become_variables(written):
    draft = drafted(f"{POST} -d 'realm={written}'".replace("login", "login."[:-1]))

    assert draft.missing == ()
    assert token_request(draft)["body"]["realm"] == "{{tenant_id}}"
    assert "tenant_id" in variables(draft)


def test_placeholders_in_the_address_become_variables():
    draft = drafted("curl 'https://<account>.acme.test/{realm}/token' -d 'grant_type=client_credentials'")

    assert draft.missing == ()
    assert token_request(draft)["url"] == "https://{{account}}.acme.test/{{realm}}/token"


def test_an_address_that_is_a_placeholder_is_asked_for():
    draft = drafted("curl $BASE_URL/oauth/token -d grant_type=client_credentials")

    assert draft.missing == ()
    assert token_request(draft)["url"] == "{{base_url_value}}/oauth/token"
    assert variables(draft)["base_url_value"]["format"] == "url"


def test_headers_with_secrets_become_variables_and_others_stay():
    headers = (
        "-H 'X-Api-Key: 0123456789abcdef' -H 'Accept: application/json' -H 'X-Version: 2' -b sid=12345 -H 'Host: x'"
    )

    draft = drafted(f"{POST} {headers}")

    assert draft.missing == ()
    assert token_request(draft)["headers"] == {
        "X-Api-Key": "{{x_api_key}}",
        "Accept": "application/json",
        "X-Version": "2",
        "Cookie": "{{cookie}}",
    }
    assert "0123456789abcdef" not in draft.yaml
    assert "12345" not in draft.yaml


def test_a_value_that_looks_made_by_a_machine_is_not_kept_whatever_its_name():
    draft = drafted(f"{POST} -d 'thing=9f8e7d6c5b4a39281706f5e4d3c2b1a0'")

    assert token_request(draft)["body"]["thing"] == "{{thing}}"
    assert "9f8e7d6c" not in draft.yaml


def test_a_signed_assertion_is_made_afresh_from_a_key():
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    draft = drafted(f"{POST} -d client_assertion_type={kind} -d client_assertion=eyJhbGciOi.J9.xyz -d client_id=abc")

    assert draft.missing == ()
    assert token_request(draft)["client_authentication"] == "private_key_jwt"
    assert token_request(draft)["assertion"] == {"key": "{{private_key}}", "key_id": "{{key_id}}"}
    assert "eyJ" not in draft.yaml


def test_the_jwt_bearer_grant_makes_the_assertion_the_grant():
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    draft = drafted(f"curl https://login.acme.test/token --data-urlencode grant_type={grant} -d assertion=$JWT")

    assert draft.missing == ()
    assert token_request(draft)["assertion"]["as"] == "grant"


def test_xml_is_emptied_of_its_secrets():
    body = "<login><user>me@acme.test</user><password>hunter22</password><lang>en</lang></login>"

    draft = drafted(f"curl https://login.acme.test/token -H 'Content-Type: text/xml' -d '{body}'")

    assert draft.missing == ()
    assert token_request(draft)["body_format"] == "text"
    assert token_request(draft)["body"] == (
        "<login><user>{{user|xml}}</user><password>{{password|xml}}</password><lang>en</lang></login>"
    )
    assert token_request(draft)["headers"] == {"Content-Type": "text/xml"}


def test_a_second_command_that_uses_the_token_gives_the_test_request():
    draft = drafted(f"{POST} -u a:b\ncurl -H 'Authorization: Bearer $TOKEN' https://api.acme.test/v1/me?full=1\n")

    assert draft.missing == ()
    assert draft.document["base_url"] == "https://api.acme.test"
    assert draft.document["auth_methods"][0]["test_request"] == {"url": "{{base_url}}/v1/me?full=1"}


@pytest.mark.parametrize(
    "command",
    [
        "curl -X POST \\\n  --url https://login.acme.test/token \\\n  --data 'grant_type=client_credentials&a=b c'",
        'curl -X POST ^\r\n  --url https://login.acme.test/token ^\r\n  --data "grant_type=client_credentials&a=b c"',
        'curl.exe -X POST "https://login.acme.test/token" -d "grant_type=client_credentials&a=b c"',
        "curl -X POST `\n  --url https://login.acme.test/token `\n  --data 'grant_type=client_credentials&a=b c'",
        "$ curl -XPOST https://login.acme.test/token -d $'grant_type=client_credentials&a=b\\u0020c' | jq .",
        '/usr/bin/curl https://login.acme.test/token -d "grant_type=client_credentials"\\&"a=b c" # gets a token',
    ],
    ids=["sh", "cmd", "cmd on one line", "PowerShell", "ANSI-C quotes", "joined words"],
)
def test_commands_of_every_shell_are_read_alike(command):
    request = token_request(drafted(command))

    assert request["url"] == "https://login.acme.test/token"
    assert request["body"] == {"grant_type": "{{grant_type}}", "a": "b c"}


def test_cmd_reads_carets_and_quotes_in_its_own_way():
    command = 'curl ^\n "https://login.acme.test/token" ^\n -d "{\\"a\\":\\"x ^& y\\",\\"client_id\\":\\"1\\"}"'

    assert commands(command) == [
        ["curl", "https://login.acme.test/token", "-d", '{"a":"x & y","client_id":"1"}'],
    ]


@pytest.mark.parametrize(
    ("option", "remark"),
    [
        ("-k", "certificates are always checked"),
        ("-L", "write the final address"),
        ("-d @body.json", "A body from a file"),
        ("--cert client.pem", "client certificate was not read"),
        ("--frobnicate", "--frobnicate was not read"),
        ("-X PATCH", "PATCH can't be used"),
        ("https://second.acme.test", "second address"),
        ("| jq -r .access_token", "such as a pipe, was not read"),
    ],
)
def test_what_was_not_read_is_listed(option, remark):
    draft = drafted(f"{POST} -u a:b {option}")

    assert draft.missing == ()
    assert remark in said(draft)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("curl https://login.acme.test/token -F grant_type=client_credentials", "multipart form"),
        ("curl -d 'grant_type=client_credentials", "closing ' is missing"),
        ("curl -d x=1", "names no address"),
        ("curl -I https://login.acme.test", "headers alone"),
        ("curl https://api.acme.test/me -H 'Authorization: Bearer abc'", "doesn't ask for one"),
        ("curl https://login.acme.test/token < body.txt", "redirects its input"),
    ],
)
def test_what_can_be_no_token_request_is_refused_with_a_reason(command, why):
    with pytest.raises(NotReadable, match=why):
        drafted(command)


def test_no_remark_or_refusal_quotes_a_value():
    command = f"{POST} -u id:s3cr3t-0f-acme --proxy-user p:s3cr3t-0f-acme -E s3cr3t-0f-acme s3cr3t-0f-acme"

    draft = drafted(command)

    assert "s3cr3t" not in draft.yaml
    assert "s3cr3t" not in said(draft)


def test_a_bearer_key_that_buys_a_token_is_a_secret_header():
    command = "curl https://api.acme.test/v1/auth/token -H 'Authorization: Bearer k3y-0f-acme' --json '{\"ttl\": 60}'"

    draft = drafted(command)

    assert draft.missing == ()
    assert token_request(draft)["headers"] == {"Authorization": "Bearer {{bearer_token}}"}
    assert "k3y-0f-acme" not in draft.yaml


@pytest.mark.parametrize(
    "sends",
    [
        "-d passcode=s3cr3t",
        "-d sig=s3cr3t -d access_code=s3cr3t -d private=s3cr3t -d otp=s3cr3t -d apikey=s3cr3t",
        "-d user_name=s3cr3t",
        "-H 'Authorization: s3cr3t s3cr3t'",
        "-H 'Authorization: Token s3cr3t'",
        "--oauth2-bearer s3cr3t",
    ],
)
def test_names_of_secrets_are_recognised_as_people_write_them(sends):
    draft = drafted(f"{POST} {sends}")

    assert draft.missing == ()
    assert "s3cr3t" not in draft.yaml


@pytest.mark.parametrize(
    "body",
    [
        "s3cr3t",
        "user:s3cr3t",
        '<login password="s3cr3t"/>',
        "<login><password><![CDATA[s3cr3t]]></password></login>",
        "<login><!-- s3cr3t --><lang>en</lang></login>",
        "<login><password>{{pw}}</password><lang>{{lang}}</lang></login>",
        "<s:login xmlns:s='urn:x'><s:apiKey>s3cr3t</s:apiKey></s:login>",
        '{"a": {"secret_code": "s3cr3t"}, "keys": ["s3cr3t"]}',
    ],
)
def test_bodies_of_every_kind_are_emptied_of_secrets(body):
    draft = drafted(f"curl https://login.acme.test/token -d '{body}'")

    assert draft.missing == ()
    assert "s3cr3t" not in draft.yaml


def test_a_value_in_capitals_that_is_no_name_does_not_name_a_variable():
    draft = drafted(f"{POST} -d serial=SN-0001-AB12-9988 -d licence=ABCD-EFGH-IJKL")

    assert "sn_0001" not in draft.yaml
    assert "abcd" not in draft.yaml


def test_what_looks_made_by_a_machine_in_an_address_is_not_kept():
    guid = "535fb089-9ff3-47b6-9bfb-4f1264799865"
    use = "curl -H 'Authorization: Bearer x' 'https://api.acme.test/v1/me?api_key=k3y'"

    draft = drafted(f"curl https://login.acme.test/tenants/{guid}/bot1234567890abcdef/token -u a:b -d x=y\n{use}")

    assert draft.missing == ()
    assert token_request(draft)["url"] == "https://login.acme.test/tenants/{{tenants_id}}/{{path_id}}/token"
    assert "secret" not in variables(draft)["tenants_id"]
    assert variables(draft)["path_id"]["secret"] is True
    assert guid not in draft.yaml
    assert "k3y" not in draft.yaml


def test_what_is_kept_as_it_stands_is_listed_by_name():
    draft = drafted(f"{POST} -d audience=https://api.acme.test -d version=2")

    assert "look for what belongs to a tenant: audience, version." in said(draft)
