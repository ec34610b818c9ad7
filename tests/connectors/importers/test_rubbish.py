"""Whatever is handed in ends in a draft whose YAML can be read, or in a refusal with a reason."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.importers.draft import Draft, NotReadable
from connectors.importers.drafting import draft_of_text
from connectors.yaml_text import read_documents

ADDRESSES = st.sampled_from(
    [
        "https://a.test/t",
        "/t",
        "",
        "{x}/t",
        "https://{x}.a.test/{y}",
        "//a.test",
        "http://[::1",
        "https://a.test:{p}",
        "x",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), ADDRESSES)
KEYS = st.sampled_from(
    ["openapi", "swagger", "info", "title", "description", "servers", "url", "variables", "default", "enum",
     "host", "basePath", "schemes", "components", "securitySchemes", "securityDefinitions", "type", "oauth2",
     "flow", "application", "flows", "clientCredentials", "tokenUrl", "scopes", "security", "$ref", "in",
     "name", "header", "apiKey", "paths", "get", "issuer", "token_endpoint", "grant_types_supported",
     "scopes_supported", "token_endpoint_auth_methods_supported", "mtls_endpoint_aliases"]
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=30,
)
SCHEMES = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.one_of(
        TREES,
        st.fixed_dictionaries(
            {"type": st.just("oauth2")},
            optional={
                "flows": st.fixed_dictionaries(
                    {"clientCredentials": st.fixed_dictionaries({}, optional={"tokenUrl": ADDRESSES, "scopes": TREES})}
                ),
                "flow": st.just("application"),
                "tokenUrl": ADDRESSES,
                "description": st.text(max_size=30),
            },
        ),
        st.fixed_dictionaries({"$ref": st.sampled_from(["#/components/securitySchemes/a", "#", "#/x", "y#/z"])}),
    ),
    max_size=4,
)
DESCRIPTIONS = st.fixed_dictionaries(
    {"openapi": st.sampled_from(["3.0.0", "3.1.0", 3.1])},
    optional={
        "info": st.one_of(TREES, st.fixed_dictionaries({"title": st.text(max_size=30), "description": st.text()})),
        "servers": st.one_of(
            TREES, st.lists(st.fixed_dictionaries({"url": ADDRESSES}, optional={"variables": TREES}), max_size=3)
        ),
        "components": st.fixed_dictionaries({"securitySchemes": SCHEMES}),
        "security": TREES,
        "paths": TREES,
    },
)
WORDS = st.sampled_from(
    ["curl ", "https://a.test/t ", "-d ", "-u ", "-H ", "-G ", "--json ", "--data-urlencode ", "'", '"', "\\", "^",
     "\n", "`", "$(", ")", "$x", "<x>", "{x}", "{{", "}}", "a=b", ":", "&", "|", "@", "{", "}", "[", "--", "-", "=",
     "%41", "é", "\x00"]
)  # fmt: skip


def outcome(content: bytes, **options) -> Draft | NotReadable:
    try:
        return draft_of_text(content, **options)
    except NotReadable as error:
        refused = error
    assert str(refused)
    return refused


def can_be_read(draft: Draft) -> None:
    documents, findings = read_documents(draft.yaml.encode())
    assert findings == []
    assert documents[0].value == draft.document


@given(description=DESCRIPTIONS, location=st.sampled_from(["", "https://a.test/b/c.json"]))
@settings(max_examples=300, deadline=None)
def test_any_description_gives_a_draft_that_can_be_read(description, location):
    found = outcome(json.dumps(description).encode(), location=location)

    assert isinstance(found, Draft)
    can_be_read(found)


@given(metadata=st.dictionaries(KEYS, TREES), endpoint=st.one_of(ADDRESSES, st.text()))
@settings(max_examples=200, deadline=None)
def test_any_metadata_gives_a_draft_that_can_be_read(metadata, endpoint):
    metadata.pop("openapi", None)
    metadata.pop("swagger", None)

    found = outcome(json.dumps({**metadata, "token_endpoint": endpoint}).encode())

    assert isinstance(found, Draft)
    can_be_read(found)


@given(words=st.lists(WORDS, max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_command_gives_a_draft_that_can_be_read_or_a_reason(words):
    found = outcome(("curl " + "".join(words)).encode(), kind="curl")

    if isinstance(found, Draft):
        can_be_read(found)


@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_a_draft_or_a_reason(content):
    outcome(content)


@given(tree=TREES)
@settings(max_examples=200, deadline=None)
def test_any_tree_ends_in_a_draft_or_a_reason(tree):
    outcome(json.dumps(tree).encode())
