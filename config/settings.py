"""All configuration, from the environment. `docs/settings.md` explains every name; `.env.example` lists them."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from config import embedded, environment, keepalive, keys, service_urls
from config.admin_theme import UNFOLD as UNFOLD
from config.environment import Environment
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

environ.Env.read_env(BASE_DIR / ".env")
VAR_DIR = Environment(os.environ).parsed("VAR_DIR", environment.folder(BASE_DIR), BASE_DIR / "var")
# Without DATABASE_URL everything lives under VAR_DIR, and commands typed beside a running `manage.py up` must see
# the same address and the same sandbox as it does: it leaves them there.
EMBEDDED_DATABASE = not Environment(os.environ).has("DATABASE_URL")
UP_FILE = VAR_DIR / "up.json"
_left_by_up = embedded.left(UP_FILE) if EMBEDDED_DATABASE else {}

env = Environment(os.environ, otherwise=_left_by_up)
env.parsed("VAR_DIR", environment.folder(BASE_DIR), VAR_DIR)  # read above, before there was a place for its faults

DEBUG = env.parsed("DEBUG", environment.flag, False)
SECRET_KEY = env.parsed("SECRET_KEY", environment.signing_key, keys.read(VAR_DIR, keys.SECRET_KEY_FILE))
SECRET_KEY_GIVEN = bool(SECRET_KEY)  # Django raises when an empty SECRET_KEY is looked at
FERNET_KEYS = env.parsed(
    "FERNET_KEYS", environment.encryption_keys, environment.words(keys.read(VAR_DIR, keys.FERNET_KEYS_FILE))
)

PUBLIC_URL = env.parsed("PUBLIC_URL", environment.public_url, "http://127.0.0.1:8000")
_public = urlsplit(PUBLIC_URL)
_host = f"[{_public.hostname}]" if ":" in (_public.hostname or "") else str(_public.hostname)
_https = _public.scheme == "https"
# Hosts under which nothing but one integration's set-up pages is served (`integrations.setup.domain`).
CUSTOM_DOMAINS: list[str] = env.parsed("CUSTOM_DOMAINS", environment.host_names, [])
ALLOWED_HOSTS = env.parsed("ALLOWED_HOSTS", environment.host_names, [_host, "localhost", "127.0.0.1", "[::1]"])
ALLOWED_HOSTS = [*ALLOWED_HOSTS, *CUSTOM_DOMAINS]

OUTBOUND_ALLOWED_HOSTS: list[str] = env.parsed("OUTBOUND_ALLOWED_HOSTS", environment.outbound_hosts, [])
OUTBOUND_TIMEOUT = env.parsed("OUTBOUND_TIMEOUT", environment.seconds(1, 120), 15.0)
OUTBOUND_CA_FILE: str | None = env.parsed("OUTBOUND_CA_FILE", environment.pem_file, "") or None

RENEWAL_TICK = env.parsed("RENEWAL_TICK", environment.seconds(1, 60), 5.0)
EVENT_RETENTION_DAYS = env.parsed("EVENT_RETENTION_DAYS", environment.days(1, 3650), 90)
SANDBOX = env.parsed("SANDBOX", environment.flag, False)
METRICS_TOKEN = env.parsed("METRICS_TOKEN", environment.shared_token, "")
LOG_FORMAT = env.parsed("LOG_FORMAT", environment.one_of("json", "text"), "text" if DEBUG else "json")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "ninja",  # for the assets of the API's documentation page
    "config",
    "config.operations",
    "connectors",
    "tenants",
    "integrations",
]
# The sandbox authorization server: only where it is asked for, and only where its library is installed.
SANDBOX_INSTALLED = all(find_spec(name) for name in ("oauth2_provider", "config.sandbox"))
if SANDBOX and SANDBOX_INSTALLED:
    INSTALLED_APPS += ["oauth2_provider", "config.sandbox"]
    OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
    OAUTH2_PROVIDER: dict[str, Any] = {
        "OAUTH2_SERVER_CLASS": "config.sandbox.authorization_server.ClientCredentialsServer",
        "SCOPES_BACKEND_CLASS": "config.sandbox.authorization_server.ClientScopes",
        "SCOPES": {"read": "See who the client is.", "write": "Change the client's name."},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 120,  # unless a client says otherwise; short, so that renewals are soon seen
        "CLIENT_SECRET_GENERATOR_LENGTH": 48,
        # Tokens are kept as checksums and taken from the Authorization header alone (RFC 9700).
        "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
        "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    }

MIDDLEWARE = [
    "config.middleware.send_no_body_for_head",
    "config.operations.requests.note_requests",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.relax_admin_policy",
    "integrations.setup.domain.serve_custom_domains",  # before the static files, most of which it keeps back
    "config.middleware.StaticFilesMiddleware",
    "integrations.api.middleware.speak_problems",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tenants.wizard.brand.brand",
            ],
        },
    },
]

# What uses definitions, and is asked before one of them changes (`connectors.impact.Users`).
DEFINITION_USERS = "tenants.impact"

# --- Database -------------------------------------------------------------------------------------------------------

_SQLITE: dict[str, Any] = {
    "timeout": 20,  # seconds to wait for another writer
    # A deferred transaction that reads first and then writes fails at once when another has written meanwhile,
    # whatever the timeout. An immediate one waits its turn.
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.parsed(
        "DATABASE_URL",
        service_urls.database,
        {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR_DIR / "latchkey.sqlite3")},
    )
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = _SQLITE
    # A file, as in earnest: a database in memory has other locks, and threads would share one connection.
    _database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    # Kept open per thread, not pooled: a pool's own threads don't survive the fork of a Celery worker.
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = keepalive.POSTGRES | _database.get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People ---------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["tenants.sign_in.ThrottledBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
# Sessions are rows in the database, signed with SECRET_KEY, and hold JSON.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "latchkey_session"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60  # seconds
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "latchkey_csrf"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"

# --- What browsers are told -----------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, without TLS
# Whether other hosts below the same domain speak TLS too is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if _https else 0
# The proxy in front, which ends TLS, must set this header itself and never pass on a client's.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "https:"],  # logos, and pictures in a connector's instructions
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# The admin's theme evaluates expressions in attributes (Alpine) and writes its colours into a <style> element.
ADMIN_CONTENT_SECURITY_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Without a build step files are served from the apps' own folders; `collectstatic` fills STATIC_ROOT for images.
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()
WHITENOISE_AUTOREFRESH = DEBUG
if not WHITENOISE_USE_FINDERS:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }


# --- Celery ---------------------------------------------------------------------------------------------------------

BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_URL = env.parsed("CELERY_BROKER_URL", service_urls.broker, "filesystem://localhost/")
EMBEDDED_BROKER = CELERY_BROKER_URL.startswith("filesystem:")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"data_folder_in": str(BROKER_DIR / "messages"), "data_folder_out": str(BROKER_DIR / "messages")}
    if EMBEDDED_BROKER
    else {
        "visibility_timeout": 600,  # seconds
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "socket_keepalive_options": keepalive.SOCKET,
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # looked for until it is back, however long that takes
# What a broker answers that is turned into a replica, as in a failover: a worker would end of it.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# Broadcasts on the embedded broker are files that nobody clears away when a worker dies.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not EMBEDDED_BROKER
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Tasks; Celery closes database connections after each one without it. Whether they still work `config.celery` sees.
CELERY_DB_REUSE_MAX = 1000
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "config.scheduler:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
CLOCKS_DIFFER = 90.0  # seconds at most, between machines
CELERY_BEAT_SCHEDULE = {
    # A tick that no worker took before the next one is worthless: `expires` keeps ticks from piling up. It is a time of
    # day by the sender's clock, so a worker whose clock is a minute ahead must not take every tick for expired.
    "renew-due": {
        "task": "tenants.tasks.renew_due",
        "schedule": RENEWAL_TICK,
        "options": {"expires": RENEWAL_TICK + CLOCKS_DIFFER},
    },
    # Also when beat starts, and whenever it sees its clock set back (`config.scheduler`).
    "follow-clock": {
        "task": "tenants.tasks.follow_clock",
        "schedule": 60 * 60.0,
        "options": {"expires": 60 * 60.0},
    },
    "prune-sessions": {
        "task": "integrations.tasks.prune_sessions",
        "schedule": 60 * 60.0,
        "options": {"expires": 60 * 60.0},
    },
    "pass-on": {
        "task": "integrations.tasks.pass_on",
        "schedule": RENEWAL_TICK,
        "options": {"expires": RENEWAL_TICK},
    },
    "post-mail": {"task": "integrations.tasks.post_mail", "schedule": 60.0, "options": {"expires": 60.0}},
    "prune-deliveries": {
        "task": "integrations.tasks.prune_deliveries",
        "schedule": 60 * 60.0,
        "options": {"expires": 60 * 60.0},
    },
    "look-ahead": {"task": "tenants.tasks.look_ahead", "schedule": 60 * 60.0, "options": {"expires": 60 * 60.0}},
    "prune": {"task": "tenants.tasks.prune", "schedule": 24 * 60 * 60.0, "options": {"expires": 60 * 60.0}},
}
if SANDBOX and SANDBOX_INSTALLED:
    CELERY_BEAT_SCHEDULE["prune-sandbox"] = {
        "task": "config.sandbox.tasks.prune_tokens",
        "schedule": 60 * 60.0,
        "options": {"expires": 60 * 60.0},
    }

# --- Mail -----------------------------------------------------------------------------------------------------------

# Into files until somebody says how mail is sent.
_mail: dict[str, Any] = {
    "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
    "EMAIL_FILE_PATH": str(VAR_DIR / "mail"),
}
_mail = env.parsed("EMAIL_URL", service_urls.email, _mail)
EMAIL_BACKEND: str = _mail["EMAIL_BACKEND"]
EMAIL_FILE_PATH: str = _mail.get("EMAIL_FILE_PATH", "")
EMAIL_HOST: str = _mail.get("EMAIL_HOST", "")
EMAIL_PORT: int = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER: str = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD: str = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS: bool = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = env.parsed("EMAIL_FROM", environment.mail_sender, f"Latchkey <latchkey@{_public.hostname}>")
# Told of trouble instead of the superusers.
ALERT_EMAILS: list[str] = env.parsed("ALERT_EMAILS", environment.mail_addresses, [])

# --- Logs and error reports -----------------------------------------------------------------------------------------

LOGGING = logging_config(debug=DEBUG, form=LOG_FORMAT)
LOGGING_CONFIG = "logging.config.dictConfig"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.NothingPrivate"

env.refuse_faults()
