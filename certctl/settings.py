"""Everything that an installation can set comes from the environment; docs/operations.md lists it.

The embedded default needs no service: SQLite, a broker of plain files and a cache per process.
Production sets DATABASE_URL and REDIS_URL. A missing SECRET_KEY stops the start.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
import structlog
from django.urls import reverse_lazy
from kombu import Queue

from certctl import database
from certctl.look import UNFOLD  # noqa: F401 - a setting, which the theme reads
from certctl.schedule import SCHEDULE
from certctl.schema import SPECTACULAR_SETTINGS  # noqa: F401 - a setting, of REST's OpenAPI
from foundation.logs import logging_config

django_stubs_ext.monkeypatch()

env = environ.FileAwareEnv()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("CERTCTL_VAR_DIR", default=str(BASE_DIR / "var")))

# The embedded default keeps its secrets here (0600; certctl.embedded makes it). What the
# environment says itself always wins.
if (VAR_DIR / "certctl.env").is_file():
    environ.Env.read_env(VAR_DIR / "certctl.env")

SECRET_KEY = env.str("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Where relying parties reach /.well-known/pki/: plain http, for it is what certificates carry
# (RFC 5280 §4.2.1.13 and BR 7.1.2: CDP and AIA are http URLs, lest checking TLS need TLS).
PKI_BASE_URL = env.str("CERTCTL_PKI_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
# What certificates carry in place of all of <base>/.well-known/pki (issuers.pointers): RFC 8615
# wants suffixes registered, and "pki" is not. The path has to lead here as well.
PKI_PREFIX = env.str("CERTCTL_PKI_PREFIX", default="")

# A folder that another web server serves while we are away (certificates.mirror); empty: none.
PKI_EXPORT_DIR = env.str("CERTCTL_PKI_EXPORT_DIR", default="")

# The CA that agents are to trust for this server, as PEM; empty: what their hosts trust.
AGENT_CA_PEM = env.str("CERTCTL_AGENT_CA_PEM", default="", multiline=True)
# How long an agent may be silent before it counts as offline.
AGENT_SILENCE = timedelta(seconds=env.int("CERTCTL_AGENT_SILENCE_SECONDS", default=150))

# Whether pkilint looks at what is signed: certificates before anybody gets them, CRLs and OCSP
# answers afterwards, with an alert (decision 0060). It has to be installed: requirements/lint.txt.
LINT = env.bool("CERTCTL_LINT", default=False)

# AES-256-GCM keys (base64 of 32 bytes) for secrets at rest: the first encrypts, all decrypt.
KEY_ENCRYPTION_KEYS = env.list("CERTCTL_KEY_ENCRYPTION_KEYS", default=[])

# For demos only: lets a request ask the server to make the private key (certctl.W001 warns).
DEMO = env.bool("CERTCTL_DEMO", default=False)
ALLOW_SERVER_KEYS = env.bool("CERTCTL_ALLOW_SERVER_KEYS", default=False)

# Where the file and nginx connectors may write, and which programs they may start: fail closed.
TARGET_ROOTS = env.list("CERTCTL_TARGET_ROOTS", default=[])
TARGET_COMMANDS = env.list("CERTCTL_TARGET_COMMANDS", default=[])
# Whether a handshake may go to this host itself: what listens there is often not meant for others.
ALLOW_LOOPBACK_TARGETS = env.bool("CERTCTL_ALLOW_LOOPBACK_TARGETS", default=False)

# CA/B BR 4.9.7 and 4.9.9 as yardstick: see certctl.checks for the bounds that are enforced.
CRL_LIFETIME = timedelta(hours=env.float("CERTCTL_CRL_LIFETIME_HOURS", default=24 * 7))
CRL_REFRESH = timedelta(hours=env.float("CERTCTL_CRL_REFRESH_HOURS", default=24))
# Octets of CRLs that each web process holds in memory, so that it serves them without reading them.
CRL_MEMORY = env.int("CERTCTL_CRL_MEMORY_MB", default=128) * 1024 * 1024
OCSP_LIFETIME = timedelta(hours=env.float("CERTCTL_OCSP_LIFETIME_HOURS", default=12))
# How many OCSP answers are signed for one asker alone (with a nonce, or about several
# certificates): of one address, and in all. Over either the stored answer goes out.
OCSP_LIVE_RATE = env.str("CERTCTL_OCSP_LIVE_RATE", default="600/min")
OCSP_LIVE_TOTAL_RATE = env.str("CERTCTL_OCSP_LIVE_TOTAL_RATE", default="6000/min")

# A web process says `good` from memory for so long after it last looked for changes, and no longer.
OCSP_PROMISE = timedelta(seconds=env.float("CERTCTL_OCSP_PROMISE_SECONDS", default=5))
# How many answers each web process remembers; about 1.5 KB each. 0: none.
OCSP_MEMORY = env.int("CERTCTL_OCSP_MEMORY_ANSWERS", default=50_000)

JOB_LEASE = timedelta(seconds=env.float("CERTCTL_JOB_LEASE_SECONDS", default=300))
JOB_BATCH = env.int("CERTCTL_JOB_BATCH", default=10)
CSR_TIMEOUT = timedelta(hours=env.float("CERTCTL_CSR_TIMEOUT_HOURS", default=24))
APPROVAL_TIMEOUT = timedelta(hours=env.float("CERTCTL_APPROVAL_TIMEOUT_HOURS", default=24 * 7))

# How many versions one administrator revokes in bulk within 24 hours on nobody else's word; more is
# confirmed by a second one. 0: every bulk revocation is. A compromise waits for nobody.
BULK_REVOKE_LIMIT = env.int("CERTCTL_BULK_REVOKE_LIMIT", default=500)
# Until when a plan of bulk revocation can be confirmed.
BULK_PLAN_LIFETIME = timedelta(hours=env.float("CERTCTL_BULK_PLAN_HOURS", default=24))

# E-mail (notifications): off until there is a mail server.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)  # STARTTLS (RFC 3207)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)  # TLS from the first octet (RFC 8314 §3.3)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT_SECONDS", default=10)
DEFAULT_FROM_EMAIL = env.str("CERTCTL_MAIL_FROM", default="certctl@localhost")
# Where people reach the admin, for links: https://certctl.example.com
ADMIN_BASE_URL = env.str("CERTCTL_ADMIN_BASE_URL", default="").rstrip("/")
# Whoever may decide gets at most one e-mail of what waits for them in this time.
NOTIFY_EVERY = timedelta(minutes=env.float("CERTCTL_MAIL_DIGEST_MINUTES", default=15))

# Until when a device whose answer was lost may fetch it again by its one-time credential.
ENROLLMENT_COLLECT_AGAIN = timedelta(
    hours=env.float("CERTCTL_ENROLLMENT_COLLECT_AGAIN_HOURS", default=1)
)

# Who ends TLS in front of EST: addresses or networks that are believed when they say which
# certificate a client showed, and nobody else is. None: EST answers nobody (enrollment.tls_front).
TLS_FRONTS = env.list("CERTCTL_TLS_FRONTS", default=[])
# How they say it: "nginx" (escaped PEM), "rfc9440" (Client-Cert) or "haproxy" (base64 of DER).
TLS_FRONT_FORM = env.str("CERTCTL_TLS_FRONT_FORM", default="nginx")
# Of one address, at the doors of devices.
ENROLLMENT_RATE = env.str("CERTCTL_ENROLLMENT_RATE", default="1200/min")

MAX_BODY_BYTES = env.int("CERTCTL_MAX_BODY_BYTES", default=1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
# Files of certificates, which many of are imported at once; deploy/nginx/nginx.conf says the same.
MAX_IMPORT_BYTES = 16 * 1024 * 1024
# Addresses that take more than MAX_BODY_BYTES, of whoever is signed in: on disk, not in memory.
LARGE_BODIES = {"/admin/certificates/certificate/import/": MAX_IMPORT_BYTES}

# How many proxies in front of us append to X-Forwarded-For; 0 trusts none of them.
TRUSTED_PROXIES = env.int("CERTCTL_TRUSTED_PROXIES", default=0)

INSTALLED_APPS = [
    "certctl",
    "unfold.apps.BasicAppConfig",  # its site is ours: see console.site
    "unfold.contrib.filters",
    "certctl.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "audit",
    "owners",
    "issuers",
    "certificates",
    "deployments",
    "jobs",
    "notifications",
    "revocation",
    "enrollment",
    "agents",
    "pki_wellknown",
    "console",
]

MIDDLEWARE = [
    "foundation.middleware.RequestId",
    "foundation.csp.ContentSecurityPolicy",
    "pki_wellknown.middleware.PlainPki",
    "enrollment.middleware.DeviceDoors",
    "foundation.middleware.CleanHead",
    "foundation.middleware.WholeBody",
    "foundation.compression.CompressedPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "foundation.admin.refusals.AdminRefusals",
]

ROOT_URLCONF = "certctl.urls"
WSGI_APPLICATION = "certctl.wsgi.application"
APPEND_SLASH = True

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
            ],
            "libraries": {
                "words": "foundation.admin.tags",
                "plainly": "foundation.admin.plainly",
            },
        },
    }
]

# --- Database -------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'certctl.sqlite3'}")
}
# What this process is for: its waits for the database are bounded accordingly.
PROCESS = env.str("CERTCTL_PROCESS", default="command")
database.bound(
    DATABASES["default"],
    process=PROCESS,
    connections=env.int("CERTCTL_DB_CONNECTIONS", default=16),
    keep_seconds=env.int("CERTCTL_DB_CONN_MAX_AGE", default=60),
)
ATOMIC_REQUESTS = False
# Whether what is signed is dated by the database where the two clocks differ (foundation.clock).
TRUST_DATABASE_CLOCK = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Broker, cache --------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "foundation.cache.SteadyRedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

CELERY_BROKER_URL = REDIS_URL or "filesystem://"
if REDIS_URL:
    # A request never waits long for a broker that is down: what it would send is only a hint.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 5,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
else:
    # Messages are hints (the jobs table is the queue), so files are broker enough.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "broker"),
        "data_folder_out": str(VAR_DIR / "broker"),
        "control_folder": str(VAR_DIR / "broker-control"),
        "polling_interval": 0.1,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
# Sweeps have a queue of their own, so that they never wait behind the work they watch over. No
# message expires: foundation.coalesced says why a pile of them costs nothing.
SWEEP_REST_SECONDS = 1.0
CELERY_TASK_QUEUES = [Queue("celery"), Queue("sweeps")]
CELERY_TASK_DEFAULT_QUEUE = "celery"
_SWEEPING = ("agents", "certificates", "enrollment", "jobs", "revocation")
CELERY_TASK_ROUTES = {f"{app}.*": {"queue": "sweeps"} for app in _SWEEPING}
CELERY_TASK_ROUTES["jobs.run_pending_jobs"] = {"queue": "celery"}
CELERY_TASK_ROUTES["revocation.run_plans"] = {"queue": "celery"}
CELERY_BEAT_SCHEDULE = SCHEDULE

# --- Who may log in -------------------------------------------------------------------------

# Whether name+tag@example.com is the mailbox of name@example.com, when persons are compared.
PLUS_ADDRESSES = env.bool("CERTCTL_PLUS_ADDRESSES", default=True)
AUTH_USER_MODEL = "owners.Principal"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
# Its lists are looked up by any column, and are no edge of ours; `axes_list_attempts` tells.
AXES_ENABLE_ADMIN = False
AXES_CLIENT_IP_CALLABLE = "foundation.middleware.remote_address"

# --- HTTP -----------------------------------------------------------------------------------

HTTPS = env.bool("CERTCTL_HTTPS", default=False)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 60 * 60
CSRF_FAILURE_VIEW = "certctl.urls.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
# Relying parties come by plain http: a redirect to https would ask TLS of who checks TLS.
# SCEP's messages protect themselves, and much gear speaks plain http alone (RFC 8894 §1); EST says
# itself that it is for https only, in words, where a POST would be lost to a redirect.
SECURE_REDIRECT_EXEMPT = [
    r"^\.well-known/pki/", r"^\.well-known/est/", r"^scep(?:/|$)",
    r"^health$", r"^ready$", r"^metrics$",
]  # fmt: skip
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Whether an approval over REST must send the digest of what was looked at.
REQUIRE_DIGEST = env.bool("CERTCTL_REQUIRE_DIGEST", default=True)

# Of one principal, whatever its keys, at every door for programs.
# Of one principal, in the admin's search: each pause in typing asks once.
SEARCH_RATE = env.str("CERTCTL_SEARCH_RATE", default="300/min")
API_RATE = env.str("CERTCTL_API_RATE", default="1200/min")

# Who writes down what REST and the admin refuse: foundation, which calls them, knows no trail.
REFUSAL_RECORDER = "owners.refusals.record_at_rest"
ADMIN_REFUSAL_RECORDER = "owners.refusals.record_at_admin"
# Who keeps views of the admin's lists and the columns that somebody chose: likewise.
ADMIN_LIST_KEEPER = "console.services"
# Who keeps what was answered under an Idempotency-Key: for the same reason.
ANSWER_KEEPER = "owners.idempotency.once"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["owners.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["owners.permissions.ModelPermissions"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["foundation.rest.parsers.Json"],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "foundation.rest.sorting.SortFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "foundation.rest.pages.Pagination",
    "DEFAULT_THROTTLE_CLASSES": ["foundation.rest.throttles.PrincipalThrottle"],
    "DEFAULT_SCHEMA_CLASS": "foundation.rest.openapi.Schema",
    "EXCEPTION_HANDLER": "foundation.rest.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "certctl" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The embedded default serves static files straight from the packages: nothing to collect.
WHITENOISE_USE_FINDERS = env.bool("CERTCTL_STATIC_FROM_PACKAGES", default=True)

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = "certctl.formats"
USE_TZ = True

# --- Logs -----------------------------------------------------------------------------------

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    level=env.str("CERTCTL_LOG_LEVEL", default="INFO"),
    as_json=env.bool("CERTCTL_LOG_JSON", default=not DEBUG),
)
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
